import { describe, expect, it } from '@jest/globals';
import { beginning, beginningAgain, groupWhole, nextSearch, toTake } from './cursor.ts';

describe('where to begin', () => {
  it('leaves what was there before us, unless told from when on', () => {
    const opened = { uidvalidity: 7, uidNext: 101 };
    expect(nextSearch(beginning(opened, undefined))).toEqual({ uid: '101:*' });
    expect(nextSearch(beginning(opened, '2026-01-01'))).toEqual({ uid: '1:100', since: '2026-01-01' });
  });

  it('goes on with what is new when the backlog is done', () => {
    const cursor = beginning({ uidvalidity: 7, uidNext: 101 }, '2026-01-01');
    expect(nextSearch({ ...cursor, lastUid: 50 })).toEqual({ uid: '51:100', since: '2026-01-01' });
    expect(nextSearch({ ...cursor, lastUid: 100 })).toEqual({ uid: '101:*' });
    expect(nextSearch({ ...cursor, lastUid: 140 })).toEqual({ uid: '141:*' });
  });

  it('looks back a day before the newest mail when a folder was made anew', () => {
    expect(beginningAgain({ uidvalidity: 8, uidNext: 31 }, new Date('2026-01-05T10:00:00Z'))).toEqual({
      uidvalidity: 8,
      lastUid: 0,
      backlogUntil: 30,
      backlogSince: '2026-01-04',
    });
  });

  it('begins an empty folder with its first mail', () => {
    expect(nextSearch(beginning({ uidvalidity: 1, uidNext: 1 }, '2026-01-01'))).toEqual({ uid: '1:*' });
  });
});

it('takes only what is above the cursor, oldest first: n:* names the last mail even below n', () => {
  const cursor = beginning({ uidvalidity: 1, uidNext: 4 }, undefined);
  expect(toTake([3], cursor)).toEqual([]);
  expect(toTake([6, 4, 5], cursor)).toEqual([4, 5, 6]);
});

it('keeps whole mails together and others alone, in their order', () => {
  const group = (...sizes: number[]) => groupWhole(sizes, (size) => size < 10);
  expect(group(1, 2, 10, 3, 11, 12, 4, 5)).toEqual([[1, 2], [10], [3], [11], [12], [4, 5]]);
  expect(group()).toEqual([]);
});
