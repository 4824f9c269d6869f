import { z } from 'zod';

const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

const opensAt = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$/, 'a time of day is HH:MM or HH:MM:SS');
const closesAt = opensAt.or(z.enum(['24:00', '24:00:00']));
const hours = z.array(z.tuple([opensAt, closesAt]));
const A_DATE = 'a date is YYYY-MM-DD';
const date = z.iso.date(A_DATE);
const hoursByDate = z.record(date, hours, { error: ({ code }) => (code === 'invalid_key' ? A_DATE : undefined) });
const instant = z.iso.datetime({ offset: true, error: 'an instant is YYYY-MM-DDTHH:MM:SSZ' });
const closure = z.tuple([instant, instant]).refine(([from, to]) => Date.parse(from) < Date.parse(to), 'a closure ends after it starts');

/**
 * When somebody is there, in the wall time of one IANA zone. An interval that ends before it starts runs overnight and belongs to the date
 * on which it starts. Holidays, breaks and closures go before shifts, shifts before the weekly hours.
 */
export const calendarDefinition = z
  .strictObject({
    timeZone: z.string().refine(isTimeZone, 'there is no such IANA time zone'),
    /** The hours of each weekday: `{ mon: [['09:00', '12:00'], ['13:00', '17:00']], fri: [['22:00', '06:00']] }`. */
    hours: z.partialRecord(z.enum(WEEKDAYS), hours).optional(),
    /** What a date has instead of its weekday's hours: `{ '2026-12-24': [['09:00', '12:00']] }`; an empty list closes it. */
    shifts: hoursByDate.optional(),
    /** What is closed on a date: `{ '2026-06-01': [['10:00', '12:00']] }`. */
    breaks: hoursByDate.optional(),
    /** Dates closed from midnight to midnight. */
    holidays: z.array(date).optional(),
    /** What is closed from one instant to another: `[['2026-06-01T10:00:00Z', '2026-06-03T12:00:00Z']]`. */
    closures: z.array(closure).optional(),
    /** All time counts. Stands alone: a 24-hour calendar with exceptions has the hours 00:00 to 24:00. */
    alwaysOpen: z.boolean().optional(),
  })
  .refine(({ alwaysOpen, timeZone: _, ...exceptions }) => !alwaysOpen || Object.keys(exceptions).length === 0, {
    path: ['alwaysOpen'],
    message: 'a calendar that is always open has no hours and nothing that closes it',
    // Beside other faults, too.
    when: ({ value }) => typeof value === 'object' && value !== null,
  });
export type CalendarDefinition = z.infer<typeof calendarDefinition>;

// Asking Intl costs as much as compiling a year.
const knownTimeZones = new Set<string>();

function isTimeZone(name: string): boolean {
  if (knownTimeZones.has(name)) return true;
  // Later engines also take an offset, '+01:00', which is no IANA zone.
  if (!/^[a-z]/i.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    knownTimeZones.add(name);
    return true;
  } catch {
    return false;
  }
}
