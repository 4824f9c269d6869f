import fc from 'fast-check';
import type { CalendarDefinition, Pause } from '../src/index.ts';

const DAY_MS = 86_400_000;
/** Zones, and dates around which their clocks change: half an hour, a skipped day, at midnight, twice a year for Ramadan, a minute past midnight. */
const PLACES = [
  ['Australia/Lord_Howe', '2024-04-07'],
  ['Australia/Lord_Howe', '2024-10-06'],
  ['Pacific/Apia', '2011-12-30'],
  ['Pacific/Kiritimati', '1994-12-31'],
  ['Africa/Cairo', '2024-04-26'],
  ['Africa/Cairo', '2024-11-01'],
  ['Asia/Kathmandu', '2024-12-31'],
  ['Europe/Berlin', '2024-03-31'],
  ['Europe/Berlin', '2024-10-27'],
  ['America/New_York', '2024-11-03'],
  ['America/Sao_Paulo', '2018-11-04'],
  ['America/Sao_Paulo', '2018-02-18'],
  ['Africa/Casablanca', '2024-03-10'],
  ['Africa/Casablanca', '2024-04-14'],
  ['America/St_Johns', '2010-11-07'],
  ['America/St_Johns', '2011-03-13'],
  ['Antarctica/Troll', '2024-03-31'],
  ['Asia/Gaza', '2024-10-26'],
  ['UTC', '2025-01-01'],
] as const;

const time = (quarters: number): string => `${String(quarters >> 2).padStart(2, '0')}:${String((quarters & 3) * 15).padStart(2, '0')}`;
const hours = fc.array(
  fc.tuple(fc.nat({ max: 95 }), fc.nat({ max: 96 })).map(([from, to]): [string, string] => [time(from), time(to)]),
  { maxLength: 3 },
);

export interface Place {
  readonly definition: CalendarDefinition;
  /** The date in the middle of what is to be looked at. */
  readonly around: string;
}

/** A calendar with a date around which something happens. Its weekly hours may be empty. */
export const arbitraryPlace: fc.Arbitrary<Place> = fc.constantFrom(...PLACES).chain(([timeZone, around]) => {
  const aroundMs = Date.parse(around);
  const date = fc.integer({ min: -6, max: 6 }).map((days) => new Date(aroundMs + days * DAY_MS).toISOString().slice(0, 10));
  const instant = fc.integer({ min: -600, max: 600 }).map((quarters) => new Date(aroundMs + quarters * 900_000).toISOString());
  const closure = fc.tuple(instant, instant).filter(([from, to]) => from < to);
  const byDate = fc.dictionary(date, hours, { maxKeys: 3 });
  return fc
    .record({
      hours: fc.record({ mon: hours, tue: hours, wed: hours, thu: hours, fri: hours, sat: hours, sun: hours }, { requiredKeys: [] }),
      shifts: byDate,
      breaks: byDate,
      holidays: fc.array(date, { maxLength: 3 }),
      closures: fc.array(closure, { maxLength: 1 }),
    })
    .map((rest) => ({ definition: { timeZone, ...rest }, around }));
});

/** An instant within `days` of a date, to the millisecond. */
export const near = (around: string, days: number): fc.Arbitrary<number> =>
  fc.integer({ min: -days * DAY_MS, max: days * DAY_MS }).map((ms) => Date.parse(around) + ms);

/** On the grid of quarters of an hour, as the slow calendar needs them; in any order, overlapping, one may last still. */
export const arbitraryPauses = (around: string): fc.Arbitrary<Pause[]> =>
  fc.array(
    fc.tuple(fc.integer({ min: -400, max: 400 }), fc.option(fc.nat({ max: 200 }), { freq: 8 })).map(([from, length]) => ({
      fromMs: Date.parse(around) + from * 900_000,
      toMs: length === null ? null : Date.parse(around) + (from + length) * 900_000,
    })),
    { maxLength: 4 },
  );
