import { z } from 'zod';
import { alwaysOpen } from './always-open.ts';
import type { Calendar } from './calendar.ts';
import { calendarDefinition, type CalendarDefinition } from './definition.ts';
import { InvalidCalendarError } from './errors.ts';

/** Makes a calendar to compute with. Throws `InvalidCalendarError` with every fault of the definition. */
export function compileCalendar(definition: CalendarDefinition): Calendar {
  const { data, error } = calendarDefinition.safeParse(definition);
  if (error) throw new InvalidCalendarError(error.issues.map(({ path, message }) => ({ path: z.core.toDotPath(path), message })));
  if (data.alwaysOpen) return alwaysOpen;
  throw new InvalidCalendarError([{ path: 'hours', message: 'it is never open' }], 'calendar.never_open');
}
