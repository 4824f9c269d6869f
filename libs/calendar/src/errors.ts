/** What is wrong with a calendar definition, and where: `hours.mon[0][1]`. */
export interface CalendarFault {
  readonly path: string;
  readonly message: string;
}

/** Thrown by `compileCalendar`, with every fault at once. */
export class InvalidCalendarError extends Error {
  constructor(
    readonly faults: readonly CalendarFault[],
    readonly code: 'calendar.invalid' | 'calendar.never_open' = 'calendar.invalid',
  ) {
    super(faults.map(({ path, message }) => `${path || 'calendar'}: ${message}`).join('; '));
  }
}

/** Thrown when the answer would lie after the calendar's last open millisecond, or before its first. */
export class NeverOpenError extends Error {
  readonly code = 'calendar.never_open';

  constructor(direction: 'after' | 'before', atMs: number) {
    super(`the calendar is never open ${direction} ${new Date(atMs).toISOString()}`);
  }
}

/** Thrown when an instant, asked for or to be answered, is outside the years that calendars know. */
export class OutOfRangeError extends Error {
  readonly code = 'calendar.out_of_range';
}

/** Thrown for a duration that is negative or not a finite number. */
export class InvalidDurationError extends Error {
  readonly code = 'duration.invalid';

  constructor(durationMs: number) {
    super(`a duration is a number of milliseconds from 0 up, not ${durationMs}`);
  }
}
