import type { CalendarDefinition } from '@tierline/calendar';
import { Book } from './book.ts';
import { METRICS } from './configuration.ts';
import type { CalendarVersion, Policy } from './policy.ts';

/** A policy for tests: it matches every ticket, all time counts, and it warns of nothing. */
export function samplePolicy(targetsMs: Policy['targetsMs'], rest: Partial<Policy> = {}): Policy {
  return {
    name: 'standard',
    version: 1,
    match: {},
    calendar: null,
    teamCalendars: {},
    targetsMs,
    warnAtPercent: [],
    pauseOn: Object.fromEntries(Object.values(METRICS).map(({ metric, pauseOn }) => [metric, pauseOn])) as unknown as Policy['pauseOn'],
    reopenWindowMs: 1_000_000,
    countsFirstWait: false,
    ...rest,
  };
}

/** A version of a calendar for tests. */
export const sampleCalendar = (name: string, definition: CalendarDefinition, version = 1): CalendarVersion => ({ name, version, definition });

/** A book whose configurations, from 1 on, hold these policies; all of them know these calendars. */
export function sampleBook(configurations: readonly (readonly Policy[])[], calendars: readonly CalendarVersion[] = []): Book {
  const book = new Book();
  configurations.forEach((policies, index) => book.add({ version: index + 1, policies, calendars }));
  return book;
}
