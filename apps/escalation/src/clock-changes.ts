import {
  ClockBreached,
  ClockBreachRevoked,
  ClockCancelled,
  ClockPaused,
  ClockResumed,
  ClockRetargeted,
  ClockStarted,
  ClockStopped,
  ClockWarned,
  derivedId,
  type DataOf,
  type EventDefinition,
} from '@tierline/events';
import type { Book } from './book.ts';
import { isOpen, stateOf, type Clock } from './clock.ts';

/** Something new about a clock, to be told. */
export type ClockChange =
  | { readonly what: 'started'; readonly clocks: readonly Clock[] }
  | { readonly what: 'retargeted' | 'resumed' | 'paused' | 'stopped' | 'cancelled' | 'breached'; readonly clock: Clock; readonly at: number }
  | { readonly what: 'revoked'; readonly clock: Clock; readonly at: number; readonly cause: 'late_event' | 'policy_change' | 'calendar_edit' }
  | { readonly what: 'warned'; readonly clock: Clock; readonly at: number; readonly percent: number };

/** How the clocks of a ticket differ by what happened at `at`: what became of those that were there, then those that began. A list has each cycle once. */
export function changesOf(before: readonly Clock[], after: readonly Clock[], at: number): ClockChange[] {
  const changes: ClockChange[] = [];
  const started: Clock[] = [];
  after.forEach((clock, index) => {
    const was = sameIn(before, clock, index);
    if (!was) started.push(clock);
    else if (was !== clock) changesOfOne(was, clock, at, changes);
  });
  before.forEach((clock, index) => {
    if (sameIn(after, clock, index) || clock.cancelled) return;
    changes.push({ what: 'cancelled', clock: { ...clock, cancelled: { reason: 'superseded', at } }, at });
  });
  if (started.length > 0) changes.push({ what: 'started', clocks: started });
  for (const clock of started) changesOfOne(asBegun(clock), clock, at, changes);
  return changes;
}

function changesOfOne(before: Clock, after: Clock, at: number, changes: ClockChange[]): void {
  const [was, is] = [stateOf(before), stateOf(after)];
  const isCalendar = after.calendar !== before.calendar;
  const isRestated = isCalendar || after.policy !== before.policy || after.startedAt !== before.startedAt;
  if (isRestated || (was === 'cancelled' && isOpen(after))) changes.push({ what: 'retargeted', clock: after, at });
  if (is === 'running' && was !== is) changes.push({ what: 'resumed', clock: after, at: after.since! });
  if (after.breach && !before.breach) changes.push({ what: 'breached', clock: after, at: after.breach.at });
  if (before.breach && !after.breach) {
    const cause = !isRestated ? 'late_event' : isCalendar && after.targetMs === before.targetMs ? 'calendar_edit' : 'policy_change';
    changes.push({ what: 'revoked', clock: after, at, cause });
  }
  if (is === 'paused' && was !== is) changes.push({ what: 'paused', clock: after, at: after.pauses?.at(-1)?.fromMs ?? at });
  if ((is === 'met' || is === 'missed') && (was !== is || after.stoppedAt !== before.stoppedAt)) {
    changes.push({ what: 'stopped', clock: after, at: after.stoppedAt! });
  }
  if (is === 'cancelled' && was !== is) changes.push({ what: 'cancelled', clock: after, at: after.cancelled!.at });
}

/** An event of a ticket's clocks. */
export interface ClockEvent {
  readonly definition: EventDefinition;
  readonly data: unknown;
}

/** The clock's id follows from what it is. */
export const clockIdOf = (ticketId: string, { metric, cycle }: Pick<Clock, 'metric' | 'cycle'>): string => derivedId(ticketId, metric, cycle);

/** A change as the event that tells of it. */
export function eventOf(ticketId: string, change: ClockChange, book: Book): ClockEvent {
  if (change.what === 'started') return startedEvent(ticketId, change.clocks, book);
  const { clock } = change;
  const fields = { clockId: clockIdOf(ticketId, clock), ticketId, metric: clock.metric, cycle: clock.cycle };
  const at = iso(change.at);
  const event = <D extends EventDefinition>(definition: D, data: Omit<DataOf<D>, keyof typeof fields>): ClockEvent => ({
    definition,
    data: { ...fields, ...data },
  });
  switch (change.what) {
    case 'retargeted': {
      const { targetMs, calendar, dueAt } = clock;
      const terms = { ...policyOf(clock, book), targetMs, ...(calendar !== null && { calendar }) };
      return event(ClockRetargeted, { ...terms, ...(dueAt !== null && { dueAt: iso(dueAt) }), retargetedAt: at });
    }
    case 'resumed':
      return event(ClockResumed, { resumedAt: at, dueAt: iso(clock.dueAt!) });
    case 'paused':
      return event(ClockPaused, { pausedAt: at, remainingMs: clock.targetMs - clock.countedMs });
    case 'warned':
      return event(ClockWarned, { percent: change.percent, dueAt: iso(clock.dueAt!), warnedAt: at });
    case 'breached':
      return event(ClockBreached, { targetMs: clock.targetMs, breachedAt: at, cause: clock.breach!.cause });
    case 'revoked':
      return event(ClockBreachRevoked, { stoppedAt: at, cause: change.cause });
    case 'stopped':
      return event(ClockStopped, { result: clock.breach ? 'missed' : 'met', elapsedMs: clock.countedMs, stoppedAt: at });
    case 'cancelled':
      return event(ClockCancelled, { reason: clock.cancelled!.reason, cancelledAt: at });
  }
}

/** Clocks that begin together run by one policy. */
function startedEvent(ticketId: string, clocks: readonly Clock[], book: Book): ClockEvent {
  const data: DataOf<typeof ClockStarted> = {
    ticketId,
    ...policyOf(clocks[0]!, book),
    clocks: clocks.map((clock) => ({
      clockId: clockIdOf(ticketId, clock),
      metric: clock.metric,
      cycle: clock.cycle,
      targetMs: clock.targetMs,
      startedAt: iso(clock.startedAt),
      dueAt: iso(clock.dueAt ?? book.calendar(clock.calendar).deadline(clock.startedAt, clock.targetMs)),
    })),
  };
  return { definition: ClockStarted, data };
}

function policyOf({ policy }: Clock, book: Book): { policy: string; policyVersion: number } {
  const { name, version } = book.policy(policy);
  return { policy: name, policyVersion: version };
}

/** The same cycle in another list, most often at the same place. */
function sameIn(clocks: readonly Clock[], { metric, cycle }: Clock, index: number): Clock | undefined {
  const isSame = (clock: Clock | undefined): boolean => clock?.metric === metric && clock.cycle === cycle;
  return isSame(clocks[index]) ? clocks[index] : clocks.find(isSame);
}

/** What a clock was when it began. */
const asBegun = (clock: Clock): Clock => ({ ...clock, since: clock.startedAt, stoppedAt: null, cancelled: null, breach: null });

const iso = (ms: number): string => new Date(ms).toISOString();
