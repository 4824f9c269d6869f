import { expect, it } from '@jest/globals';
import { RateLimit } from './rate-limit.ts';

it('lets a burst through, then a steady rate', () => {
  const limit = new RateLimit(0);
  expect(Array.from({ length: 40 }, () => limit.take(0)).every((waitMs) => waitMs === 0)).toBe(true);
  expect(limit.take(0)).toBe(100);
  expect(limit.take(50)).toBe(50);
  expect(limit.take(100)).toBe(0);
  expect(limit.take(100)).toBe(100);
});

it('saves up no more than a burst', () => {
  const limit = new RateLimit(0);
  expect(Array.from({ length: 41 }, () => limit.take(3_600_000)).filter((waitMs) => waitMs > 0)).toHaveLength(1);
});
