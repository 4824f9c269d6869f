import type { CalendarDefinition } from '@tierline/calendar';
import type { Book } from './book.ts';
import { countedAt, look, stateOf, type Clock, type ClockState } from './clock.ts';
import { clockIdOf } from './clock-changes.ts';
import { explain, type Span } from './explain.ts';

/** A clock as it stands at this moment. */
export interface ClockView {
  clockId: string;
  metric: string;
  cycle: number;
  policy: string;
  policyVersion: number;
  /** None when all time counts. */
  calendar: string | null;
  state: ClockState;
  targetMs: number;
  elapsedMs: number;
  startedAt: Date;
  dueAt: Date | null;
  stoppedAt: Date | null;
  breachedAt: Date | null;
  breachCause: string | null;
  cancelled: string | null;
  /** None when they are too many to show: the explanation has them all. */
  pauses: { from: Date; to: Date | null; reason: string }[] | null;
}

/** Why a clock is due when it is. */
export interface Explanation extends ClockView {
  timeZone: string | null;
  /** In order and without a gap. What counted adds up to the target, once it is due. */
  spans: { kind: Span['kind']; from: Date; to: Date; ms: number; reason?: string }[];
}

export function clockView(ticketId: string, known: Clock, now: number, book: Book): ClockView {
  const calendar = book.calendar(known.calendar);
  const clock = look(known, now, calendar);
  const { name, version } = book.policy(clock.policy);
  return {
    clockId: clockIdOf(ticketId, clock),
    metric: clock.metric,
    cycle: clock.cycle,
    policy: name,
    policyVersion: version,
    calendar: clock.calendar,
    state: stateOf(clock),
    targetMs: clock.targetMs,
    elapsedMs: countedAt(clock, now, calendar),
    startedAt: new Date(clock.startedAt),
    dueAt: dateOf(clock.dueAt),
    stoppedAt: dateOf(clock.stoppedAt),
    breachedAt: dateOf(clock.breach?.at ?? null),
    breachCause: clock.breach?.cause ?? null,
    cancelled: clock.cancelled?.reason ?? null,
    pauses: clock.pauses && clock.pauses.map(({ fromMs, toMs, reason }) => ({ from: new Date(fromMs), to: dateOf(toMs), reason })),
  };
}

export function explanationOf(ticketId: string, clock: Clock, now: number, book: Book): Explanation {
  const definition: CalendarDefinition | null = clock.calendar === null ? null : book.definition(clock.calendar).definition;
  const spans = explain(clock, now, book.calendar(clock.calendar), definition);
  return {
    ...clockView(ticketId, clock, now, book),
    timeZone: definition?.timeZone ?? null,
    spans: spans.map(({ kind, fromMs, toMs, reason }) => ({
      kind,
      from: new Date(fromMs),
      to: new Date(toMs),
      ms: toMs - fromMs,
      ...(reason !== undefined && { reason }),
    })),
  };
}

const dateOf = (ms: number | null): Date | null => (ms === null ? null : new Date(ms));
