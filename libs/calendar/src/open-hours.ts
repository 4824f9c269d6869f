import type { CalendarDefinition } from './definition.ts';
import { Spans } from './spans.ts';
import { DAY_MS, dayOf, timeOf } from './wall-time.ts';
import { instantOf, zoneOffsets, type ZoneOffsets } from './zone-offsets.ts';

/** By the number of a day since 1970-01-01, a Thursday, modulo 7. */
const WEEKDAYS = ['thu', 'fri', 'sat', 'sun', 'mon', 'tue', 'wed'] as const;

/** Bounds what a wrong date can cost. */
export const FIRST_YEAR = 1900;
export const LAST_YEAR = 2199;
/** Room for two intervals a day, which few calendars exceed. */
export const SPANS_A_YEAR = 768;

/** Times of one date in the wall time of a zone, in ms from its midnight: [start, end, start, end, …]. */
type WallTimes = readonly number[];

/** The hours of a calendar, by the number of a day since 1970-01-01. */
export interface OpenHours {
  readonly timeZone: string;
  readonly weekly: readonly WallTimes[];
  readonly shifts: ReadonlyMap<number, WallTimes>;
  /** Breaks and holidays, by day. */
  readonly closed: readonly { readonly day: number; readonly times: WallTimes }[];
  readonly closures: readonly { readonly fromMs: number; readonly toMs: number }[];
}

/** The hours of a definition without faults. */
export function openHours({ timeZone, hours = {}, shifts = {}, breaks = {}, holidays = [], closures = [] }: CalendarDefinition): OpenHours {
  return {
    timeZone,
    weekly: WEEKDAYS.map((weekday) => wallTimes(hours[weekday] ?? [])),
    shifts: new Map(Object.entries(shifts).map(([date, hours]) => [dayOf(date), wallTimes(hours)])),
    closed: [
      ...Object.entries(breaks).map(([date, hours]) => ({ day: dayOf(date), times: wallTimes(hours) })),
      ...holidays.map((date) => ({ day: dayOf(date), times: [0, DAY_MS] })),
    ].sort((a, b) => a.day - b.day),
    closures: closures.map(([from, to]) => ({ fromMs: Date.parse(from), toMs: Date.parse(to) })),
  };
}

function wallTimes(hours: readonly (readonly [string, string])[]): WallTimes {
  return hours.flatMap(([from, to]) => {
    const start = timeOf(from);
    const end = timeOf(to);
    return [start, end < start ? end + DAY_MS : end];
  });
}

/** Adds the open time of one UTC year to `open`. */
export function addYear(open: Spans, hours: OpenHours, year: number): void {
  const fromMs = Date.UTC(year, 0);
  const toMs = Date.UTC(year + 1, 0);
  const offsets = zoneOffsets(hours.timeZone, year);
  // Hours may run overnight, a date that the zone skipped lies on the next one, and a zone may be half a day behind UTC, or ahead.
  // As integers, since the remainder of a float costs as much as all the rest of a day.
  const firstDay = ((fromMs / DAY_MS) | 0) - 3;
  const lastDay = (toMs / DAY_MS) | 0;
  const gaps = closedBetween(firstDay, lastDay, hours, offsets);

  let gap = 0;
  for (let day = firstDay; day <= lastDay; day++) {
    const times = hours.shifts.get(day) ?? hours.weekly[((day % 7) + 7) % 7]!;
    for (let at = 0; at < times.length; at += 2) {
      let start = Math.max(fromMs, instantOf(day * DAY_MS + times[at]!, offsets));
      const end = Math.min(toMs, instantOf(day * DAY_MS + times[at + 1]!, offsets));
      // Backward too: the hours of a date need not be in order.
      while (gap > 0 && gaps.end(gap - 1) > start) gap--;
      while (gap < gaps.length && gaps.end(gap) <= start) gap++;
      for (let next = gap; next < gaps.length && gaps.start(next) < end; next++) {
        open.add(start, gaps.start(next));
        start = Math.max(start, gaps.end(next));
      }
      open.add(start, end);
    }
  }
}

function closedBetween(firstDay: number, lastDay: number, { closed, closures }: OpenHours, offsets: ZoneOffsets): Spans {
  const gaps = new Spans(closed.length + closures.length);
  for (const { day, times } of closed) {
    if (day < firstDay || day > lastDay) continue;
    for (let at = 0; at < times.length; at += 2) {
      gaps.add(instantOf(day * DAY_MS + times[at]!, offsets), instantOf(day * DAY_MS + times[at + 1]!, offsets));
    }
  }
  for (const { fromMs, toMs } of closures) gaps.add(fromMs, toMs);
  return gaps;
}

/** The first and the last year that we know in which it is open at all; undefined when there is none. */
export function yearsOpen(hours: OpenHours): { first: number; last: number } | undefined {
  if (hours.weekly.some((times) => times.some((time, at) => at % 2 === 1 && time > times[at - 1]!))) return { first: FIRST_YEAR, last: LAST_YEAR };
  const near = [...hours.shifts.keys()].flatMap((day) => [yearOf((day - 1) * DAY_MS), yearOf((day + 3) * DAY_MS)]);
  const years = [...new Set(near)].filter((year) => year >= FIRST_YEAR && year <= LAST_YEAR && isOpenIn(hours, year));
  return years.length > 0 ? { first: Math.min(...years), last: Math.max(...years) } : undefined;
}

function isOpenIn(hours: OpenHours, year: number): boolean {
  const open = new Spans(SPANS_A_YEAR);
  addYear(open, hours, year);
  return open.length > 0;
}

export function yearOf(atMs: number): number {
  return new Date(atMs).getUTCFullYear();
}
