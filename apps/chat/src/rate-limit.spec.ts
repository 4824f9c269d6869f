import { expect, it } from '@jest/globals';
import { RateLimit } from './rate-limit.ts';

it('lets a burst through, and then a steady rate', () => {
  const limit = new RateLimit(3, 10);
  const at = (...times: number[]) => times.map((now) => limit.take('ann', now));
  expect(at(0, 0, 0, 0)).toEqual([0, 0, 0, 100]);
  expect(at(60, 100, 100)).toEqual([40, 0, 100]);
  // No more than a burst is saved up.
  expect(at(60_000, 60_000, 60_000, 60_000)).toEqual([0, 0, 0, 100]);
});

it('knows each key by itself', () => {
  const limit = new RateLimit(1, 1);
  expect([limit.take('ann', 0), limit.take('ann', 0), limit.take('ben', 0)]).toEqual([0, 1_000, 0]);
});

it('forgets who has been quiet, and nobody else', () => {
  const limit = new RateLimit(1, 1);
  for (let n = 0; n < 10_000; n++) limit.take(`visitor ${n}`, 0);
  limit.take('busy', 1_500);
  expect(limit.size).toBe(1);
  for (let n = 0; n < 10_000; n++) limit.take(`visitor ${n}`, 1_600);
  expect(limit.take('busy', 1_600)).toBe(900);
});
