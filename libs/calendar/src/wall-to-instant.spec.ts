import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { wallToInstant } from './wall-to-instant.ts';

const ZONES = [
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Africa/Cairo',
  'Asia/Kathmandu',
  'Europe/Berlin',
  'America/New_York',
  'America/Sao_Paulo',
  'Africa/Casablanca',
  'America/St_Johns',
  'Pacific/Kiritimati',
  'Antarctica/Troll',
  'Asia/Tehran',
  'America/Caracas',
  'Etc/GMT+12',
  'UTC',
];
const year = fc.integer({ min: 1970, max: 2060 });

/** Wall times near the changes of a zone in a year, where there are some, and anywhere in it. */
const wallTimes = fc.tuple(fc.constantFrom(...ZONES), year).chain(([timeZone, year]) => {
  const anywhere = fc.integer({ min: Date.UTC(year, 0), max: Date.UTC(year + 1, 0) - 1 });
  const start = Temporal.Instant.fromEpochMilliseconds(Date.UTC(year, 0)).toZonedDateTimeISO(timeZone);
  const change = start.getTimeZoneTransition('next');
  const nearby = change
    ? fc.integer({ min: -1500, max: 1500 }).map((minutes) => change.epochMilliseconds + change.offsetNanoseconds / 1e6 + minutes * 60_000)
    : anywhere;
  return fc.record({ timeZone: fc.constant(timeZone), wallMs: fc.oneof(nearby, nearby, anywhere) });
});

it('is what Temporal says, reading by the offset before a change what is skipped or comes twice', () => {
  fc.assert(
    fc.property(wallTimes, ({ timeZone, wallMs }) => {
      const local = new Date(wallMs).toISOString().slice(0, 19);
      const wall = Temporal.PlainDateTime.from(local);
      expect(wallToInstant(local, timeZone)).toBe(wall.toZonedDateTime(timeZone, { disambiguation: 'compatible' }).epochMilliseconds);
    }),
    { numRuns: 200 },
  );
});

it.each([
  ['2024-03-31T02:30:00', 'Europe/Berlin', '2024-03-31T01:30:00Z', 'skipped'],
  ['2024-10-27T02:30:00', 'Europe/Berlin', '2024-10-27T00:30:00Z', 'comes twice'],
  ['2024-10-06T02:15:00', 'Australia/Lord_Howe', '2024-10-05T15:45:00Z', 'skipped by half an hour'],
  ['2011-12-30T09:00:00', 'Pacific/Apia', '2011-12-30T19:00:00Z', 'on a date that was skipped'],
  ['2018-11-03T24:00:00', 'America/Sao_Paulo', '2018-11-04T03:00:00Z', 'a midnight that was skipped'],
])('%s in %s is %s: %s', (local, timeZone, instant) => {
  expect(wallToInstant(local, timeZone)).toBe(Date.parse(instant));
});
