import { expect, it } from '@jest/globals';
import { backoffMs } from './backoff.ts';

it.each([
  ['the first failure', 1, {}, 2_000],
  ['the third', 3, {}, 4_500],
  ['the hundredth', 100, {}, 30_000],
  ['a server that says when', 1, { throttleReset: 61_000 }, 61_000],
  ['a wrong password', 1, { authenticationFailed: true }, 3_600_000],
])('%s', (_, failures, failure, ms) => {
  expect(backoffMs(failures, failure, 0)).toBe(ms);
  if (ms < 3_600_000) expect(backoffMs(failures, failure, 1)).toBe(ms * 1.25);
});
