export { alwaysOpen } from './always-open.ts';
export type { Calendar, Segment } from './calendar.ts';
export { compileCalendar } from './compile-calendar.ts';
export { calendarDefinition } from './definition.ts';
export type { CalendarDefinition } from './definition.ts';
export { InvalidCalendarError, InvalidDurationError, NeverOpenError, OutOfRangeError } from './errors.ts';
export type { CalendarFault } from './errors.ts';
export { deadlineWithPauses, elapsedWithPauses } from './pauses.ts';
export type { Pause } from './pauses.ts';
