import type { CalendarDefinition } from './definition.ts';
import { cut, unite, type Spans } from './spans.ts';
import { DAY_MS, dayOf, timeOf } from './wall-time.ts';
import { instantOf, zoneOffsets } from './zone-offsets.ts';

/** By the number of a day since 1970-01-01, a Thursday, modulo 7. */
const WEEKDAYS = ['thu', 'fri', 'sat', 'sun', 'mon', 'tue', 'wed'] as const;

/** Bounds what a wrong date can cost. */
export const FIRST_YEAR = 1900;
export const LAST_YEAR = 2199;

type Hours = readonly (readonly [string, string])[];

/** A calendar's hours in the wall time of its zone, in ms from the midnight of their date: [start, end, start, end, …]. */
export interface OpenHours {
  readonly timeZone: string;
  readonly weekly: readonly Spans[];
  readonly shifts: ReadonlyMap<number, Spans>;
  /** Breaks and holidays. */
  readonly closed: readonly { readonly day: number; readonly spans: Spans }[];
}

/** The hours of a definition without faults. */
export function openHours({ timeZone, hours = {}, shifts = {}, breaks = {}, holidays = [] }: CalendarDefinition): OpenHours {
  return {
    timeZone,
    weekly: WEEKDAYS.map((weekday) => spansOf(hours[weekday] ?? [])),
    shifts: new Map(Object.entries(shifts).map(([date, hours]) => [dayOf(date), spansOf(hours)])),
    closed: [
      ...Object.entries(breaks).map(([date, hours]) => ({ day: dayOf(date), spans: spansOf(hours) })),
      ...holidays.map((date) => ({ day: dayOf(date), spans: [0, DAY_MS] })),
    ],
  };
}

function spansOf(hours: Hours): Spans {
  return hours.flatMap(([from, to]) => {
    const start = timeOf(from);
    const end = timeOf(to);
    return [start, end < start ? end + DAY_MS : end];
  });
}

/** The open time of one UTC year, united. */
export function openInYear({ timeZone, weekly, shifts, closed }: OpenHours, year: number): Spans {
  const fromMs = Date.UTC(year, 0);
  const toMs = Date.UTC(year + 1, 0);
  const offsets = zoneOffsets(timeZone, year);
  // Hours may run overnight, a date that the zone skipped lies on the next one, and a zone may be half a day behind UTC, or ahead.
  const firstDay = fromMs / DAY_MS - 3;
  const lastDay = toMs / DAY_MS;

  const open: Spans = [];
  const gaps: Spans = [];
  const add = (spans: Spans, day: number, hours: Spans): void => {
    for (const wallMs of hours) spans.push(instantOf(day * DAY_MS + wallMs, offsets));
  };
  for (let day = firstDay; day <= lastDay; day++) add(open, day, shifts.get(day) ?? weekly[((day % 7) + 7) % 7]!);
  for (const { day, spans } of closed) if (day >= firstDay && day <= lastDay) add(gaps, day, spans);
  return cut(unite(open), unite(gaps), fromMs, toMs);
}

/** The first and the last year in which it is open at all; undefined when there is none. */
export function yearsOpen(hours: OpenHours): { first: number; last: number } | undefined {
  if (hours.weekly.some((spans) => unite([...spans]).length > 0)) return { first: FIRST_YEAR, last: LAST_YEAR };
  const near = [...hours.shifts.keys()].flatMap((day) => [yearOf((day - 1) * DAY_MS), yearOf((day + 3) * DAY_MS)]);
  const years = [...new Set(near)].filter((year) => openInYear(hours, year).length > 0);
  return years.length > 0 ? { first: Math.min(...years), last: Math.max(...years) } : undefined;
}

export function yearOf(atMs: number): number {
  return new Date(atMs).getUTCFullYear();
}
