import { Temporal } from 'temporal-polyfill';
import type { CalendarDefinition, Pause } from '../src/index.ts';

/** Hours on this grid, in zones whose offsets are on it too, make every quarter of an hour wholly open or wholly closed. */
export const QUARTER_MS = 900_000;
const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
const WHOLE_DAY = [['00:00', '24:00']] as const;

interface Span {
  readonly from: number;
  readonly to: number;
}

/** The rules of a calendar, said as plainly and as slowly as can be: a quarter of an hour after the other, every wall time by Temporal. */
export class SlowCalendar {
  readonly fromMs: number;
  readonly toMs: number;
  private readonly open: Span[] = [];
  private readonly closed: Span[] = [];

  /** Knows `days` days around a date. */
  constructor(
    { timeZone, hours = {}, shifts = {}, breaks = {}, holidays = [], closures = [] }: CalendarDefinition,
    around: string,
    days: number,
    pauses: readonly Pause[] = [],
  ) {
    const first = Temporal.PlainDate.from(around).subtract({ days });
    const last = Temporal.PlainDate.from(around).add({ days });
    this.fromMs = instant(timeZone, first, '00:00');
    this.toMs = instant(timeZone, last, '00:00');
    // Hours reach into later dates, by a night or by a day that a zone skipped.
    for (let date = first.subtract({ days: 3 }); Temporal.PlainDate.compare(date, last) <= 0; date = date.add({ days: 1 })) {
      const day = date.toString();
      const span = ([opens, closes]: readonly [string, string]): Span => ({
        from: instant(timeZone, date, opens),
        // Strings of one length are in the order of the times.
        to: instant(timeZone, closes < opens ? date.add({ days: 1 }) : date, closes),
      });
      this.open.push(...(shifts[day] ?? hours[WEEKDAYS[date.dayOfWeek - 1]!] ?? []).map(span));
      this.closed.push(...(breaks[day] ?? []).map(span), ...(holidays.includes(day) ? WHOLE_DAY.map(span) : []));
    }
    this.closed.push(...closures.map(([from, to]) => ({ from: Date.parse(from), to: Date.parse(to) })));
    this.closed.push(...pauses.map(({ fromMs, toMs }) => ({ from: fromMs, to: toMs ?? Number.POSITIVE_INFINITY })));
  }

  isOpen(atMs: number): boolean {
    const within = ({ from, to }: Span): boolean => atMs >= from && atMs < to;
    return this.open.some(within) && !this.closed.some(within);
  }

  elapsed(fromMs: number, toMs: number): number {
    let elapsedMs = 0;
    for (let at = quarter(fromMs); at < toMs; at += QUARTER_MS) {
      if (this.isOpen(at)) elapsedMs += Math.max(0, Math.min(toMs, at + QUARTER_MS) - Math.max(fromMs, at));
    }
    return elapsedMs;
  }

  /** Undefined when it lies after the days that are known. */
  deadline(fromMs: number, durationMs: number): number | undefined {
    let leftMs = durationMs;
    for (let at = quarter(fromMs); at < this.toMs; at += QUARTER_MS) {
      if (!this.isOpen(at)) continue;
      const start = Math.max(fromMs, at);
      if (start + leftMs <= at + QUARTER_MS) return start + leftMs;
      leftMs -= at + QUARTER_MS - start;
    }
    return undefined;
  }

  /** Undefined when it lies before the days that are known. */
  subtract(toMs: number, durationMs: number): number | undefined {
    let leftMs = durationMs;
    for (let at = quarter(toMs - 1); at >= this.fromMs; at -= QUARTER_MS) {
      if (!this.isOpen(at)) continue;
      const end = Math.min(toMs, at + QUARTER_MS);
      if (end - leftMs >= at) return end - leftMs;
      leftMs -= end - at;
    }
    return undefined;
  }
}

const quarter = (atMs: number): number => Math.floor(atMs / QUARTER_MS) * QUARTER_MS;

// The same few dates come again and again, and Temporal takes a tenth of a millisecond for each.
const instants = new Map<string, number>();

function instant(timeZone: string, date: Temporal.PlainDate, time: string): number {
  const wall = time === '24:00' ? date.add({ days: 1 }).toPlainDateTime('00:00') : date.toPlainDateTime(time);
  const key = `${wall.toString()} ${timeZone}`;
  let at = instants.get(key);
  if (at === undefined) instants.set(key, (at = wall.toZonedDateTime(timeZone, { disambiguation: 'compatible' }).epochMilliseconds));
  return at;
}
