import { wallToInstant, type Calendar, type CalendarDefinition } from '@tierline/calendar';
import type { TicketStatus } from '@tierline/events';
import type { Clock } from './clock.ts';

const DAY_MS = 86_400_000;

/** A stretch of a clock's time, and why it counted or did not. */
export interface Span {
  readonly kind: 'counted' | 'closed' | 'holiday' | 'paused';
  readonly fromMs: number;
  readonly toMs: number;
  /** The state of the ticket that made the clock stand still. */
  readonly reason?: TicketStatus;
}

/**
 * A clock's time from its start until it is due; while a pause holds that off, until it stopped or `now`. The spans follow on each other without a gap, and those
 * that counted add up to the target. The clock must have its pauses.
 */
export function explain(clock: Clock, now: number, calendar: Calendar, definition: CalendarDefinition | null): Span[] {
  const end = clock.dueAt ?? clock.stoppedAt ?? now;
  const spans: Span[] = [];
  let at = clock.startedAt;
  for (const { fromMs, toMs, reason } of clock.pauses!) {
    const [from, to] = [Math.max(at, Math.min(fromMs, end)), Math.min(toMs ?? end, end)];
    addOpenAndClosed(spans, at, from, calendar, definition);
    add(spans, { kind: 'paused', fromMs: from, toMs: to, reason });
    at = Math.max(from, to);
  }
  addOpenAndClosed(spans, at, end, calendar, definition);
  return spans;
}

function addOpenAndClosed(spans: Span[], fromMs: number, toMs: number, calendar: Calendar, definition: CalendarDefinition | null): void {
  let at = fromMs;
  for (const { startMs, endMs } of calendar.segments(fromMs, toMs)) {
    addClosed(spans, at, startMs, definition);
    add(spans, { kind: 'counted', fromMs: startMs, toMs: endMs });
    at = endMs;
  }
  addClosed(spans, at, toMs, definition);
}

function addClosed(spans: Span[], fromMs: number, toMs: number, definition: CalendarDefinition | null): void {
  let at = fromMs;
  for (const { startMs, endMs } of holidaysOf(definition)) {
    const [from, to] = [Math.max(at, startMs), Math.min(toMs, endMs)];
    if (from >= to) continue;
    add(spans, { kind: 'closed', fromMs: at, toMs: from });
    add(spans, { kind: 'holiday', fromMs: from, toMs: to });
    at = to;
  }
  add(spans, { kind: 'closed', fromMs: at, toMs });
}

/** The holidays from midnight to midnight in the calendar's zone, in order. */
function holidaysOf(definition: CalendarDefinition | null): { startMs: number; endMs: number }[] {
  const { holidays = [], timeZone = 'UTC' } = definition ?? {};
  const midnight = (date: string): number => wallToInstant(`${date}T00:00:00`, timeZone);
  return [...holidays].sort().map((date) => ({ startMs: midnight(date), endMs: midnight(new Date(Date.parse(date) + DAY_MS).toISOString().slice(0, 10)) }));
}

function add(spans: Span[], span: Span): void {
  if (span.toMs <= span.fromMs) return;
  const last = spans.at(-1);
  if (last?.kind === span.kind && last.reason === span.reason) spans[spans.length - 1] = { ...last, toMs: span.toMs };
  else spans.push(span);
}
