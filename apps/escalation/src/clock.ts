import {
  ClockBreached,
  ClockBreachRevoked,
  ClockCancelled,
  ClockPaused,
  ClockResumed,
  ClockRetargeted,
  ClockStopped,
  ClockWarned,
  type DataOf,
  type EventDefinition,
  type SlaMetric,
} from '@tierline/events';
import { countedMs, deadline, type Pause } from './counted-time.ts';
import type { Policy } from './policy.ts';

/** Times are in ms since 1970. What is true of a clock follows from its facts; `warned` and `breachedAt` only remember what has been announced. */
export interface Clock {
  readonly clockId: string;
  readonly ticketId: string;
  readonly metric: SlaMetric;
  readonly policy: Policy;
  readonly startedAt: number;
  /** In order. The last one may last still. */
  readonly pauses: readonly Pause[];
  readonly stoppedAt: number | null;
  readonly cancelled: CancelReason | null;
  readonly warned: boolean;
  /** The due instant; after a change of policy, not before that change. */
  readonly breachedAt: number | null;
  /** Grows with every change of the facts, and so fences timers that were armed before it. */
  readonly epoch: number;
}

export type ClockState = 'running' | 'paused' | 'met' | 'missed' | 'cancelled';
/** `no_policy`: none matches the ticket any more. The facts are kept up, and the clock runs on when one matches again. */
export type CancelReason = 'merged' | 'no_policy';

/** What happens to a clock. It may be heard of late: `at` is when it happened. */
export type ClockFact =
  | { readonly what: 'stop' | 'pause' | 'run' | 'look'; readonly at: number }
  | { readonly what: 'retarget'; readonly at: number; readonly policy: Policy }
  | { readonly what: 'cancel'; readonly at: number; readonly reason: CancelReason };

/** An event to append under the ticket's key. */
export interface ClockEffect {
  readonly definition: EventDefinition;
  readonly data: unknown;
}

export const targetMsOf = ({ metric, policy }: Pick<Clock, 'metric' | 'policy'>): number => policy.targetsMs[metric]!;

/** When the target is used up; undefined while a pause holds it off. */
export const dueAt = (clock: Clock): number | undefined => deadline(clock.startedAt, targetMsOf(clock), clock.pauses);

export const elapsedMs = (clock: Clock, now: number): number => countedMs(clock.startedAt, Math.min(clock.stoppedAt ?? now, now), clock.pauses);

/** The first instant at which the target is missed. What takes exactly the target is met. */
function missedAt(clock: Clock): number | undefined {
  const at = deadline(clock.startedAt, targetMsOf(clock) + 1, clock.pauses);
  return at === undefined || (clock.stoppedAt !== null && clock.stoppedAt < at) ? undefined : at;
}

export function stateOf(clock: Clock): ClockState {
  if (clock.cancelled !== null) return 'cancelled';
  if (clock.stoppedAt !== null) return missedAt(clock) === undefined ? 'met' : 'missed';
  return clock.pauses.at(-1)?.to === null ? 'paused' : 'running';
}

/** The next instant at which there is something to announce, if nothing happens until then. */
export function nextPoint(clock: Clock): { point: 'warning' | 'breach'; at: number } | undefined {
  if (stateOf(clock) !== 'running' || clock.breachedAt !== null) return undefined;
  // A running clock has no pause that could hold it off.
  return clock.warned ? { point: 'breach', at: missedAt(clock)! } : { point: 'warning', at: warningAt(clock)! };
}

function warningAt(clock: Clock): number | undefined {
  return deadline(clock.startedAt, Math.ceil((targetMsOf(clock) * clock.policy.warnAtPercent) / 100), clock.pauses);
}

/** The clock after a fact, and what has to be told. */
export function foldClock(before: Clock, fact: ClockFact): { clock: Clock; effects: ClockEffect[] } {
  const facts = withFact(before, fact);
  if (facts === before && fact.what !== 'look') return { clock: before, effects: [] };
  const after = facts === before ? before : { ...facts, epoch: before.epoch + 1 };
  const [was, is] = [stateOf(before), stateOf(after)];
  const effects: ClockEffect[] = [];
  const tell = <D extends EventDefinition>(definition: D, data: Omit<DataOf<D>, 'clockId' | 'ticketId' | 'metric'>): void => {
    effects.push({ definition, data: { clockId: before.clockId, ticketId: before.ticketId, metric: before.metric, ...data } });
  };

  if (is === 'cancelled') {
    if (was !== is) tell(ClockCancelled, { reason: after.cancelled!, cancelledAt: iso(fact.at) });
    return { clock: after, effects };
  }

  const due = dueAt(after);
  if (fact.what === 'retarget') {
    const { name, version } = after.policy;
    tell(ClockRetargeted, {
      policy: name,
      policyVersion: version,
      targetMs: targetMsOf(after),
      ...(due !== undefined && { dueAt: iso(due) }),
      retargetedAt: iso(fact.at),
    });
  }
  if (is === 'running' && was !== is) tell(ClockResumed, { resumedAt: iso(fact.at), dueAt: iso(due!) });

  let { warned, breachedAt } = after;
  const missed = missedAt(after);
  if (breachedAt === null && missed !== undefined && missed <= fact.at) {
    // A target that was made shorter cannot be missed before it was made.
    breachedAt = fact.what === 'retarget' ? Math.max(due!, fact.at) : due!;
    tell(ClockBreached, { targetMs: targetMsOf(after), breachedAt: iso(breachedAt) });
  } else if (breachedAt !== null && (missed === undefined || missed > Math.max(fact.at, breachedAt + 1))) {
    breachedAt = null;
    tell(ClockBreachRevoked, { stoppedAt: iso(fact.at) });
  }
  // A warning that comes with the breach, or after the work is done, helps nobody.
  if (!warned && breachedAt === null && is === 'running' && warningAt(after)! <= fact.at) {
    warned = true;
    tell(ClockWarned, { percent: after.policy.warnAtPercent, dueAt: iso(due!), warnedAt: iso(warningAt(after)!) });
  }

  if (is === 'paused' && was !== is) tell(ClockPaused, { pausedAt: iso(fact.at), remainingMs: targetMsOf(after) - elapsedMs(after, fact.at) });
  if ((is === 'met' || is === 'missed') && (is !== was || after.stoppedAt !== before.stoppedAt)) {
    tell(ClockStopped, { result: is, elapsedMs: elapsedMs(after, after.stoppedAt!), stoppedAt: iso(after.stoppedAt!) });
  }
  return { clock: warned === after.warned && breachedAt === after.breachedAt ? after : { ...after, warned, breachedAt }, effects };
}

/** The clock with one more fact; the same clock when the fact changes nothing. */
function withFact(clock: Clock, fact: ClockFact): Clock {
  if (clock.cancelled === 'merged') return clock;
  const last = clock.pauses.at(-1);
  const isPaused = last?.to === null;
  // Pauses are heard of in order; one that claims to have begun before the last one ended begins there.
  const at = Math.max(fact.at, last?.to ?? last?.from ?? clock.startedAt);
  switch (fact.what) {
    case 'look':
      return clock;
    case 'stop':
      // The first stop counts, also when it is heard of last.
      return clock.stoppedAt !== null && clock.stoppedAt <= fact.at ? clock : { ...clock, stoppedAt: fact.at };
    case 'pause':
      if (clock.stoppedAt === null) return isPaused ? clock : { ...clock, pauses: [...clock.pauses, { from: at, to: null }] };
      return { ...clock, stoppedAt: null, pauses: isPaused ? clock.pauses : [...clock.pauses, { from: clock.stoppedAt, to: null }] };
    case 'run': {
      if (clock.stoppedAt === null && !isPaused) return clock;
      // The time in which the work seemed done does not count.
      const from = isPaused ? last.from : clock.stoppedAt!;
      return { ...clock, stoppedAt: null, pauses: [...(isPaused ? clock.pauses.slice(0, -1) : clock.pauses), { from, to: Math.max(from, fact.at) }] };
    }
    case 'retarget':
      return { ...clock, policy: fact.policy, cancelled: null, warned: false };
    case 'cancel':
      return clock.cancelled === fact.reason ? clock : { ...clock, cancelled: fact.reason };
  }
}

const iso = (ms: number): string => new Date(ms).toISOString();
