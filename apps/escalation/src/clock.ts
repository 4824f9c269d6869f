import { deadlineWithPauses, elapsedWithPauses, type Calendar, type Pause } from '@tierline/calendar';
import type { BreachCause, ClockResult, SlaMetric, TicketStatus } from '@tierline/events';

/**
 * One cycle of a metric, as plain JSON; times are in ms since 1970. It rolls: what was counted before `since` is one number, so that a fact costs the same
 * however many came before it.
 */
export interface Clock {
  readonly metric: SlaMetric;
  /** 1 is the first. */
  readonly cycle: number;
  /** The version of a policy, and of a calendar: `standard/3`. No calendar counts all time. */
  readonly policy: string;
  readonly calendar: string | null;
  readonly targetMs: number;
  readonly startedAt: number;
  /** What counted before `since`, or before it last stood still. */
  readonly countedMs: number;
  /** From when on it counts; null while it stands still. */
  readonly since: number | null;
  /** The least instant by which the target is used up; null while a pause holds it off. */
  readonly dueAt: number | null;
  /** In order; the last may last still. Null: too many to keep, they stand in the facts. */
  readonly pauses: readonly ClockPause[] | null;
  readonly stoppedAt: number | null;
  readonly cancelled: { readonly reason: CancelReason; readonly at: number } | null;
  readonly breach: { readonly at: number; readonly cause: BreachCause } | null;
}

/** A time in which a clock stands still, and the state of the ticket that makes it. */
export interface ClockPause extends Pause {
  readonly reason: TicketStatus;
}

/** What is asked can only be told from all facts of the ticket. */
export class PastNeeded extends Error {
  readonly code = 'ticket.past_needed';
}

export type ClockState = 'running' | 'paused' | ClockResult | 'cancelled';
/** `no_policy` and `spam` may pass: the facts are kept up, and the clock goes on when they do. */
export type CancelReason = 'no_policy' | 'spam' | 'merged' | 'solved' | 'superseded';

/** What a clock runs by. */
export interface Terms {
  readonly policy: string;
  readonly calendar: string | null;
  readonly targetMs: number;
}

export function stateOf({ cancelled, stoppedAt, breach, since }: Clock): ClockState {
  if (cancelled) return 'cancelled';
  if (stoppedAt !== null) return breach ? 'missed' : 'met';
  return since === null ? 'paused' : 'running';
}

/** Neither stopped nor cancelled. */
export const isOpen = ({ stoppedAt, cancelled }: Clock): boolean => stoppedAt === null && !cancelled;

export function countedAt({ countedMs, since }: Clock, at: number, calendar: Calendar): number {
  return since === null ? countedMs : countedMs + calendar.elapsed(since, at);
}

/** A clock that begins to run. */
export function begin(metric: SlaMetric, cycle: number, { policy, calendar, targetMs }: Terms, startedAt: number, by: Calendar): Clock {
  const dueAt = by.deadline(startedAt, targetMs);
  return {
    metric,
    cycle,
    policy,
    calendar,
    targetMs,
    startedAt,
    countedMs: 0,
    since: startedAt,
    dueAt,
    pauses: [],
    stoppedAt: null,
    cancelled: null,
    breach: null,
  };
}

/** It stands still from `at` on. A pause for another reason follows the one before. */
export function pause(clock: Clock, at: number, reason: TicketStatus, calendar: Calendar): Clock {
  const last = clock.pauses?.at(-1);
  if (clock.since === null && (!last || last.reason === reason)) return clock;
  const next = copyOf(clock);
  if (clock.since !== null) {
    next.countedMs = countedAt(clock, at, calendar);
    next.since = null;
    next.dueAt = next.countedMs < clock.targetMs ? null : clock.dueAt;
    next.breach = breachOf(clock, next.countedMs);
  }
  next.pauses = clock.pauses && [...ended(clock.pauses, at), { fromMs: at, toMs: null, reason }];
  return next;
}

/** It counts from `at` on. */
export function run(clock: Clock, at: number, calendar: Calendar): Clock {
  if (clock.since !== null) return clock;
  const next = copyOf(clock);
  next.since = at;
  next.pauses = clock.pauses && ended(clock.pauses, at);
  next.dueAt = dueFrom(clock, at, calendar);
  return next;
}

export function stop(clock: Clock, at: number, calendar: Calendar): Clock {
  const next = copyOf(clock);
  next.countedMs = countedAt(clock, at, calendar);
  next.since = null;
  next.stoppedAt = at;
  next.pauses = clock.pauses && ended(clock.pauses, at);
  next.breach = breachOf(clock, next.countedMs);
  return next;
}

/** The work was not done after all: the time in which it seemed so is a pause. */
export function reopen(clock: Clock, at: number, calendar: Calendar): Clock {
  const next = copyOf(clock);
  next.stoppedAt = null;
  next.since = at;
  next.pauses = clock.pauses && [...clock.pauses, { fromMs: clock.stoppedAt!, toMs: at, reason: 'solved' }];
  next.dueAt = dueFrom(clock, at, calendar);
  return next;
}

export function cancel(clock: Clock, at: number, reason: CancelReason, calendar: Calendar): Clock {
  if (clock.cancelled?.reason === reason) return clock;
  const next = copyOf(clock);
  next.cancelled = { reason, at };
  next.breach = breachOf(clock, countedAt(clock, at, calendar));
  return next;
}

/** It counts for something again. */
export function revive(clock: Clock): Clock {
  const next = copyOf(clock);
  next.cancelled = null;
  return next;
}

/**
 * The clock as if it had run by `terms` from the beginning, with the same pauses. What that misses is missed at `at` and not before: nobody could have known.
 * Throws PastNeeded when it does not carry its pauses.
 */
export function restate(before: Clock, at: number, terms: Terms, calendars: { from: Calendar; to: Calendar }, cause: BreachCause, startedAt: number): Clock {
  const { pauses } = before;
  if (!pauses) throw new PastNeeded();
  const was = breachOf(before, countedAt(before, at, calendars.from));
  const next = copyOf(before);
  next.policy = terms.policy;
  next.calendar = terms.calendar;
  next.targetMs = terms.targetMs;
  next.startedAt = startedAt;
  next.cancelled = null;
  next.countedMs = elapsedWithPauses(calendars.to, startedAt, at, pauses);
  next.since = before.since === null ? null : at;
  const isKnown = next.since !== null || next.countedMs >= terms.targetMs;
  next.dueAt = isKnown ? (deadlineWithPauses(calendars.to, startedAt, terms.targetMs, pauses) ?? null) : null;
  next.breach = next.countedMs > terms.targetMs ? (was ?? { at, cause }) : null;
  return next;
}

/** The clock with another breach. */
export function withBreach(clock: Clock, breach: Clock['breach']): Clock {
  const next = copyOf(clock);
  next.breach = breach;
  return next;
}

/** The clock without its pauses. */
export function withoutPauses(clock: Clock): Clock {
  const next = copyOf(clock);
  next.pauses = null;
  return next;
}

/** The clock at `at`, when nothing has happened to it until then. */
export function look(clock: Clock, at: number, calendar: Calendar): Clock {
  if (clock.breach || clock.since === null || !isOpen(clock) || at <= clock.dueAt!) return clock;
  const breach = breachOf(clock, countedAt(clock, at, calendar));
  return breach ? withBreach(clock, breach) : clock;
}

/** What a share of the target is in ms. */
export const shareMs = ({ targetMs }: Clock, percent: number): number => Math.ceil((targetMs * percent) / 100);

/** When so much had counted, for a time that has come already. */
export function instantOf(clock: Clock, ms: number, calendar: Calendar): number {
  if (clock.pauses) return deadlineWithPauses(calendar, clock.startedAt, ms, clock.pauses)!;
  return ms > clock.countedMs ? calendar.deadline(clock.since!, ms - clock.countedMs) : clock.since!;
}

/** What takes exactly the target is met; what takes longer was breached when the target was used up. */
function breachOf(clock: Clock, countedMs: number): Clock['breach'] {
  if (countedMs <= clock.targetMs) return null;
  return clock.breach ?? (clock.cancelled ? null : { at: clock.dueAt!, cause: 'time' });
}

type Draft = { -readonly [Field in keyof Clock]: Clock[Field] };

/** Written out: `{ ...clock }` costs ten times as much when it is done again and again. */
function copyOf(clock: Clock): Draft {
  return {
    metric: clock.metric,
    cycle: clock.cycle,
    policy: clock.policy,
    calendar: clock.calendar,
    targetMs: clock.targetMs,
    startedAt: clock.startedAt,
    countedMs: clock.countedMs,
    since: clock.since,
    dueAt: clock.dueAt,
    pauses: clock.pauses,
    stoppedAt: clock.stoppedAt,
    cancelled: clock.cancelled,
    breach: clock.breach,
  };
}

function dueFrom({ countedMs, targetMs, dueAt }: Clock, at: number, calendar: Calendar): number | null {
  return countedMs < targetMs ? calendar.deadline(at, targetMs - countedMs) : dueAt;
}

function ended(pauses: readonly ClockPause[], at: number): readonly ClockPause[] {
  const last = pauses.at(-1);
  return last?.toMs === null ? [...pauses.slice(0, -1), { ...last, toMs: at }] : pauses;
}
