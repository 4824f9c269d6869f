import { z } from 'zod';
import { alwaysOpen } from './always-open.ts';
import type { Calendar } from './calendar.ts';
import { CompiledCalendar } from './compiled-calendar.ts';
import { calendarDefinition, type CalendarDefinition } from './definition.ts';
import { InvalidCalendarError } from './errors.ts';
import { openHours, yearsOpen } from './open-hours.ts';
import { DAY_MS } from './wall-time.ts';

const MAX_CLOSED_DAYS = 366;

/**
 * Makes a calendar to compute with. Throws `InvalidCalendarError` with every fault of the definition, and for one that is never open;
 * with `fromMs` (the time at which a calendar is saved) also for one without an open millisecond in the 366 days from then on.
 */
export function compileCalendar(definition: CalendarDefinition, fromMs?: number): Calendar {
  const { data, error } = calendarDefinition.safeParse(definition);
  if (error) throw new InvalidCalendarError(error.issues.map(({ path, message }) => ({ path: z.core.toDotPath(path), message })));
  if (data.alwaysOpen) return alwaysOpen;
  const hours = openHours(data);
  const years = yearsOpen(hours);
  if (!years) throw neverOpen('it is never open');
  const calendar = new CompiledCalendar(hours, years);
  if (fromMs !== undefined && calendar.elapsed(fromMs, fromMs + MAX_CLOSED_DAYS * DAY_MS) === 0) {
    throw neverOpen(`it is not open in the ${MAX_CLOSED_DAYS} days from ${new Date(fromMs).toISOString()}`);
  }
  return calendar;
}

const neverOpen = (message: string): InvalidCalendarError => new InvalidCalendarError([{ path: '', message }], 'calendar.never_open');
