import { expect, it } from '@jest/globals';
import { afterFailure, isHopeless, nextBatch, type Doubt } from './doubt.ts';

/** Fetches mails 1 to `last` of which the server never hands out `bad`, and says what was asked for and what was given up. */
function fetchAll(last: number, bad: readonly number[]): { asked: number[][]; given: number[]; hopeless: number[] } {
  let doubt: Doubt | undefined;
  const result = { asked: [] as number[][], given: [] as number[], hopeless: [] as number[] };
  let rest = Array.from({ length: last }, (_, index) => index + 1);
  while (rest.length > 0 && result.asked.length < 1_000) {
    const uids = nextBatch(doubt, rest);
    if (isHopeless(doubt, uids)) result.hopeless.push(...uids);
    else {
      result.asked.push(uids);
      if (uids.some((uid) => bad.includes(uid))) {
        doubt = afterFailure(doubt, uids);
        continue;
      }
      result.given.push(...uids);
    }
    rest = rest.slice(uids.length);
  }
  return result;
}

it('asks for whole batches as long as they come', () => {
  expect(fetchAll(120, []).asked.map((uids) => uids.length)).toEqual([50, 50, 20]);
});

it('finds the mail that cannot be had, and takes all others', () => {
  const { given, hopeless, asked } = fetchAll(120, [7]);
  expect(hopeless).toEqual([7]);
  expect(given).toHaveLength(119);
  // Once with its batch, three times alone; behind the batch it is batches again.
  expect(asked.filter((uids) => uids.includes(7))).toHaveLength(4);
  expect(asked.at(-1)!.length).toBe(20);
});

it('finds several', () => {
  expect(fetchAll(120, [1, 2, 50, 51, 120]).hopeless).toEqual([1, 2, 50, 51, 120]);
});

it('forgives a mail that came in the end', () => {
  let doubt = afterFailure(undefined, [1, 2, 3]);
  for (let failure = 0; failure < 2; failure++) doubt = afterFailure(doubt, [1]);
  expect(isHopeless(doubt, [1])).toBe(false);
  // 1 came; now 2 begins from nothing.
  expect(afterFailure(doubt, [2]).failures).toBe(1);
  expect(isHopeless(afterFailure(doubt, [1]), [1])).toBe(true);
});
