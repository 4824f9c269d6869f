import { describe, expect, it } from '@jest/globals';
import { alwaysOpen } from './always-open.ts';
import type { Segment } from './calendar.ts';
import { compileCalendar } from './compile-calendar.ts';
import type { CalendarDefinition } from './definition.ts';
import { InvalidCalendarError, InvalidDurationError, NeverOpenError, OutOfRangeError } from './errors.ts';

const HOUR_MS = 3_600_000;
const at = (iso: string): number => Date.parse(iso);
const OFFICE: CalendarDefinition = { timeZone: 'UTC', hours: { mon: [['09:00', '17:00']], tue: [['09:00', '17:00']] } };
const NIGHTS: CalendarDefinition = { timeZone: 'UTC', hours: { mon: [['22:00', '06:00']], tue: [['22:00', '06:00']] } };
/** 2026-06-01 is a Monday. */
const week = (definition: CalendarDefinition): string[] => compileCalendar(definition).segments(at('2026-06-01T00:00Z'), at('2026-06-08T00:00Z')).map(said);
const said = ({ startMs, endMs }: Segment): string => `${new Date(startMs).toISOString().slice(8, 16)}/${new Date(endMs).toISOString().slice(8, 16)}`;

function faultsOf(definition: object): Record<string, string> {
  try {
    compileCalendar(definition as CalendarDefinition);
  } catch (error) {
    if (error instanceof InvalidCalendarError) return Object.fromEntries(error.faults.map(({ path, message }) => [path, message]));
    throw error;
  }
  return {};
}

describe('what is open', () => {
  it('is from an opening up to a closing, without it', () => {
    const calendar = compileCalendar(OFFICE);
    expect(['08:59:59.999', '09:00:00.000', '16:59:59.999', '17:00:00.000'].map((time) => calendar.isOpen(at(`2026-06-01T${time}Z`)))).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  it('runs overnight from the date on which it starts', () => {
    expect(week(NIGHTS)).toEqual(['01T22:00/02T06:00', '02T22:00/03T06:00']);
  });

  it('is one piece where hours touch or overlap, also at midnight and at the turn of a year', () => {
    expect(
      week({
        timeZone: 'UTC',
        hours: {
          mon: [
            ['08:00', '12:00'],
            ['11:00', '24:00'],
          ],
          tue: [
            ['00:00', '01:00'],
            ['01:00', '02:00'],
          ],
        },
      }),
    ).toEqual(['01T08:00/02T02:00']);
    const everyDay: CalendarDefinition = {
      timeZone: 'UTC',
      hours: Object.fromEntries(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'].map((day) => [day, [['00:00', '24:00']]])),
    };
    expect(compileCalendar(everyDay).segments(at('2025-12-01T00:00Z'), at('2026-02-01T00:00Z'))).toHaveLength(1);
  });

  it('is nothing where an interval is empty', () => {
    expect(week({ timeZone: 'UTC', hours: { mon: [['09:00', '09:00']], tue: [['10:00', '11:00']] } })).toEqual(['02T10:00/02T11:00']);
  });

  it('on a date with a shift is the shift, beside the night before it', () => {
    expect(week({ ...NIGHTS, shifts: { '2026-06-02': [['05:00', '07:00']] } })).toEqual(['01T22:00/02T07:00']);
    expect(week({ ...NIGHTS, shifts: { '2026-06-02': [] } })).toEqual(['01T22:00/02T06:00']);
  });

  it('on a holiday is nothing for its own 24 hours, whatever its shift says', () => {
    expect(week({ ...NIGHTS, shifts: { '2026-06-02': [['09:00', '10:00']] }, holidays: ['2026-06-02'] })).toEqual(['01T22:00/02T00:00']);
    expect(week({ ...NIGHTS, holidays: ['2026-06-02'] })).toEqual(['01T22:00/02T00:00', '03T00:00/03T06:00']);
  });

  it('is not what a break takes, also overnight', () => {
    expect(
      week({
        ...NIGHTS,
        breaks: {
          '2026-06-01': [
            ['23:00', '01:00'],
            ['05:00', '22:30'],
          ],
        },
      }),
    ).toEqual(['01T22:30/01T23:00', '02T01:00/02T06:00', '02T22:00/03T06:00']);
  });

  it('is not what a closure takes, over days and to the second', () => {
    expect(week({ ...NIGHTS, closures: [['2026-06-02T05:00:00Z', '2026-06-03T00:30:00+02:00']] })).toEqual(['01T22:00/02T05:00', '02T22:30/03T06:00']);
  });

  it('goes on for as long as it is asked for, and ends where nothing is open any more', () => {
    const once: CalendarDefinition = {
      timeZone: 'UTC',
      shifts: { '2026-06-01': [['09:00', '10:00']], '2028-01-01': [['00:00', '01:00']], '2027-12-31': [['22:00', '24:00']] },
    };
    const calendar = compileCalendar(once);
    const from = at('2020-01-01T00:00Z');
    expect([...calendar.segmentsAfter(from)].map(said)).toEqual(['01T09:00/01T10:00', '31T22:00/01T01:00']);
    expect([...compileCalendar(once).segmentsBefore(at('2040-01-01T00:00Z'))].map(said)).toEqual(['31T22:00/01T01:00', '01T09:00/01T10:00']);
    expect(calendar.deadline(from, 4 * HOUR_MS)).toBe(at('2028-01-01T01:00Z'));
    expect(calendar.subtract(at('2040-01-01T00:00Z'), 4 * HOUR_MS)).toBe(at('2026-06-01T09:00Z'));
    expect(() => calendar.deadline(from, 4 * HOUR_MS + 1)).toThrow(NeverOpenError);
    expect(() => calendar.nextOpen(at('2028-01-01T01:00Z'))).toThrow(NeverOpenError);
    expect(() => calendar.subtract(at('2040-01-01T00:00Z'), 4 * HOUR_MS + 1)).toThrow(NeverOpenError);
    expect(() => calendar.subtract(at('2026-06-01T09:00Z'), 0)).toThrow(NeverOpenError);
  });
});

describe('a deadline', () => {
  const calendar = compileCalendar(OFFICE);

  it('is the closing when time runs out at it, and the next opening for no time at all', () => {
    expect(calendar.deadline(at('2026-06-01T09:00Z'), 8 * HOUR_MS)).toBe(at('2026-06-01T17:00Z'));
    expect(calendar.deadline(at('2026-06-01T17:00Z'), 0)).toBe(at('2026-06-02T09:00Z'));
  });

  it('backward is the opening when time runs out at it, and the last closing for no time at all', () => {
    expect(calendar.subtract(at('2026-06-02T09:00Z'), 8 * HOUR_MS)).toBe(at('2026-06-01T09:00Z'));
    expect(calendar.subtract(at('2026-06-02T09:00Z'), 0)).toBe(at('2026-06-01T17:00Z'));
  });

  it.each([Number.NaN, -1, Number.POSITIVE_INFINITY])('is refused for %d ms', (durationMs) => {
    for (const any of [calendar, alwaysOpen]) {
      expect(() => any.deadline(0, durationMs)).toThrow(InvalidDurationError);
      expect(() => any.subtract(0, durationMs)).toThrow(InvalidDurationError);
    }
  });

  it('is refused outside the years that are known, and for what is no instant', () => {
    expect(() => calendar.deadline(at('2199-12-31T23:00Z'), HOUR_MS)).toThrow(OutOfRangeError);
    expect(() => calendar.subtract(at('1900-01-01T00:00Z'), HOUR_MS)).toThrow(OutOfRangeError);
    for (const atMs of [at('2200-01-01T00:00Z'), Number.NaN]) expect(() => calendar.isOpen(atMs)).toThrow(OutOfRangeError);
  });
});

describe('what is always open', () => {
  it('is plain arithmetic, compiled or not', () => {
    const calendar = compileCalendar({ timeZone: 'Europe/Berlin', alwaysOpen: true });
    expect(calendar.isOpen(5)).toBe(true);
    expect(calendar.nextOpen(5)).toBe(5);
    expect([calendar.elapsed(3, 8), calendar.elapsed(8, 3)]).toEqual([5, 0]);
    expect([calendar.deadline(3, 5), calendar.subtract(8, 5)]).toEqual([8, 3]);
    expect([calendar.segments(3, 8), calendar.segments(8, 3)]).toEqual([[{ startMs: 3, endMs: 8 }], []]);
    expect([...calendar.segmentsAfter(3)]).toEqual([{ startMs: 3, endMs: Number.POSITIVE_INFINITY }]);
    expect([...calendar.segmentsBefore(3)]).toEqual([{ startMs: Number.NEGATIVE_INFINITY, endMs: 3 }]);
  });
});

describe('a definition', () => {
  it('is refused with every fault at once', () => {
    expect(
      faultsOf({
        timeZone: 'Europe/Bonn',
        hours: {
          mon: [
            ['9:00', '17:00'],
            ['24:00', '25:00'],
          ],
          moon: [],
        },
        shifts: { '2026-02-29': [] },
        breaks: { '2026-06-01': [['10:00']] },
        holidays: ['2026-06-31'],
        closures: [
          ['2026-06-01', '2026-06-02T00:00:00Z'],
          ['2026-06-02T00:00:00Z', '2026-06-02T02:00:00+02:00'],
        ],
        holliday: [],
        alwaysOpen: true,
      }),
    ).toEqual({
      timeZone: 'there is no such IANA time zone',
      'hours.mon[0][0]': 'a time of day is HH:MM or HH:MM:SS',
      'hours.mon[1][0]': 'a time of day is HH:MM or HH:MM:SS',
      'hours.mon[1][1]': 'a time of day is HH:MM or HH:MM:SS',
      hours: 'Unrecognized key: "moon"',
      'shifts["2026-02-29"]': 'a date is YYYY-MM-DD',
      'breaks["2026-06-01"][0]': expect.stringContaining('expected array to have >=2 items'),
      'holidays[0]': 'a date is YYYY-MM-DD',
      'closures[0][0]': 'an instant is YYYY-MM-DDTHH:MM:SSZ',
      'closures[1]': 'a closure ends after it starts',
      alwaysOpen: 'a calendar that is always open has no hours and nothing that closes it',
      '': 'Unrecognized key: "holliday"',
    });
  });

  it.each(['+01:00', 'CEST', ''])('names an IANA zone, not %j', (timeZone) => {
    expect(faultsOf({ ...OFFICE, timeZone })).toEqual({ timeZone: 'there is no such IANA time zone' });
  });

  it.each<Partial<CalendarDefinition>>([
    {},
    { hours: {} },
    { hours: { mon: [['09:00', '09:00']] } },
    { shifts: { '2026-06-01': [['09:00', '10:00']] }, holidays: ['2026-06-01'] },
    { shifts: { '2026-06-01': [['09:00', '10:00']] }, breaks: { '2026-06-01': [['08:00', '12:00']] } },
  ])('is refused when it is never open: %j', (rest) => {
    expect(() => compileCalendar({ timeZone: 'UTC', ...rest })).toThrow(expect.objectContaining({ code: 'calendar.never_open' }));
  });

  it('is refused when it is saved and not open within 366 days', () => {
    const now = at('2026-06-01T00:00Z');
    const opens = (date: string): CalendarDefinition => ({ timeZone: 'UTC', shifts: { [date]: [['00:00', '01:00']] } });
    expect(() => compileCalendar(opens('2027-06-02'), now)).toThrow(expect.objectContaining({ code: 'calendar.never_open' }));
    expect(compileCalendar(opens('2027-06-01'), now).nextOpen(now)).toBe(at('2027-06-01T00:00Z'));
  });
});
