import {
  ClockStarted,
  derivedId,
  slaMetric,
  type ClockDue,
  type DataOf,
  type SlaMetric,
  type TicketChanged,
  type TicketMerged,
  type TicketOpened,
  type TicketReplied,
  type TicketStatus,
} from '@tierline/events';
import { dueAt, foldClock, nextPoint, targetMsOf, type Clock, type ClockEffect, type ClockFact } from './clock.ts';
import { policyFor, type Matched, type Policy } from './policy.ts';

/** A ticket as its clocks and its escalations see it. Times are in ms since 1970. */
export interface Ticket extends Matched {
  readonly ticketId: string;
  readonly status: TicketStatus;
  readonly startedAt: number;
  /** The first public answer by a person. */
  readonly respondedAt: number | null;
  readonly tier: number;
  /** Every tier it has been on, `tier` last. */
  readonly tierPath: readonly number[];
  readonly clocks: readonly Clock[];
}

/** What moves the clocks of a ticket that is known. */
export type TicketEvent = TicketReplied | TicketChanged | TicketMerged | ClockDue;

interface Folded {
  readonly ticket: Ticket;
  readonly effects: readonly ClockEffect[];
}

export const isDone = ({ status }: Pick<Ticket, 'status'>): boolean => status === 'solved' || status === 'closed';

/** A new ticket, with the clocks that its policy asks for. */
export function openTicket({ id, data }: Pick<TicketOpened, 'id' | 'data'>, policies: readonly Policy[]): Folded {
  const openedAt = Date.parse(data.openedAt);
  const ticket: Ticket = {
    ticketId: data.ticketId,
    status: data.status,
    priority: data.priority,
    channel: data.channel,
    brand: data.brand,
    labels: data.labels,
    // A sender's clock may be ahead; nobody waits before the ticket is there.
    startedAt: Math.min(Date.parse(data.occurredAt), openedAt),
    respondedAt: null,
    tier: data.tier,
    tierPath: [data.tier],
    clocks: [],
  };
  return choosePolicy(ticket, id, openedAt, policies);
}

/** The ticket after an event, and what has to be told of its clocks. */
export function foldTicket(ticket: Ticket, event: TicketEvent, policies: readonly Policy[]): Folded {
  switch (event.type) {
    case 'ticket.replied': {
      const { by, automatic, occurredAt } = event.data;
      if (by.kind !== 'agent' || !event.data.public || automatic) return { ticket, effects: [] };
      const at = Date.parse(occurredAt);
      if (ticket.respondedAt !== null && ticket.respondedAt <= at) return { ticket, effects: [] };
      return foldEach({ ...ticket, respondedAt: at }, ({ metric }) => (metric === 'first_response' ? { what: 'stop', at } : undefined));
    }
    case 'ticket.changed': {
      const { status, priority, labels, occurredAt } = event.data;
      const at = Date.parse(occurredAt);
      const changed = { ...ticket, status: status?.to ?? ticket.status, priority: priority?.to ?? ticket.priority, labels: labels?.to ?? ticket.labels };
      const moved = status ? foldEach(changed, (clock) => factOf(clock, changed, at)) : { ticket: changed, effects: [] };
      // What stopped keeps its result: a clock that runs again has to catch up with the policy.
      const mayNeedAnother = priority !== undefined || labels !== undefined || (isDone(ticket) && !isDone(changed));
      if (!mayNeedAnother) return moved;
      const chosen = choosePolicy(moved.ticket, event.id, at, policies);
      return { ticket: chosen.ticket, effects: [...moved.effects, ...chosen.effects] };
    }
    case 'ticket.merged':
      // Told under both keys; the other ticket keeps its own clocks.
      if (event.data.ticketId !== ticket.ticketId) return { ticket, effects: [] };
      return foldEach({ ...ticket, status: 'closed' }, () => ({ what: 'cancel', at: Date.parse(event.data.occurredAt), reason: 'merged' }));
    case 'clock.due': {
      const { clockId, epoch } = event.data;
      // The clock was changed after this timer was armed, and another was armed then.
      if (ticket.clocks.some((clock) => clock.clockId === clockId && clock.epoch !== epoch)) return { ticket, effects: [] };
      return foldEach(ticket, () => ({ what: 'look', at: Date.parse(event.time) }));
    }
  }
}

/** The one timer of a ticket: the next point of all its clocks. */
export function nextTimer(ticket: Ticket): { clock: Clock; point: 'warning' | 'breach'; at: number } | undefined {
  let next: ReturnType<typeof nextTimer>;
  for (const clock of ticket.clocks) {
    const point = nextPoint(clock);
    if (point && (!next || point.at < next.at)) next = { clock, ...point };
  }
  return next;
}

/** What a ticket's status means to a clock. */
function factOf(clock: Clock, ticket: Ticket, at: number): ClockFact | undefined {
  const pauses = clock.policy.pauseOn[clock.metric].includes(ticket.status);
  if (clock.metric === 'resolution') return { what: isDone(ticket) ? 'stop' : pauses ? 'pause' : 'run', at };
  // Once answered, always answered. And while a ticket is solved nobody waits for an answer.
  return clock.stoppedAt !== null ? undefined : { what: isDone(ticket) || pauses ? 'pause' : 'run', at };
}

/**
 * Puts the clocks that still run under the first policy that matches: the same start, the same pauses, its targets. A clock that is under that
 * policy already keeps its version. Metrics that had no clock get one.
 */
function choosePolicy(ticket: Ticket, cause: string, at: number, policies: readonly Policy[]): Folded {
  const matched = policyFor(ticket, policies);
  const chosen = foldEach(ticket, (clock) => {
    if (clock.stoppedAt !== null) return undefined;
    const policy = matched?.name === clock.policy.name ? clock.policy : matched;
    if (policy?.targetsMs[clock.metric] === undefined) return { what: 'cancel', at, reason: 'no_policy' };
    return policy === clock.policy && clock.cancelled === null ? undefined : { what: 'retarget', at, policy };
  });
  const missing = slaMetric.options.filter(
    (metric) => matched?.targetsMs[metric] !== undefined && !ticket.clocks.some((clock) => clock.metric === metric) && !isOver(ticket, metric),
  );
  if (!matched || missing.length === 0) return chosen;

  const begun = missing.map((metric): Clock => ({
    clockId: derivedId(cause, metric),
    ticketId: ticket.ticketId,
    metric,
    policy: matched,
    startedAt: ticket.startedAt,
    pauses: [],
    stoppedAt: null,
    cancelled: null,
    warned: false,
    breachedAt: null,
    epoch: 0,
  }));
  const started = {
    ticketId: ticket.ticketId,
    policy: matched.name,
    policyVersion: matched.version,
    clocks: begun.map((clock) => ({
      clockId: clock.clockId,
      metric: clock.metric,
      targetMs: targetMsOf(clock),
      startedAt: new Date(clock.startedAt).toISOString(),
      dueAt: new Date(dueAt(clock)!).toISOString(),
    })),
  } satisfies DataOf<typeof ClockStarted>;
  const paused = foldEach({ ...ticket, clocks: begun }, (clock) => factOf(clock, ticket, at));
  return {
    ticket: { ...chosen.ticket, clocks: [...chosen.ticket.clocks, ...paused.ticket.clocks] },
    effects: [...chosen.effects, { definition: ClockStarted, data: started }, ...paused.effects],
  };
}

/** Nothing is left to be measured. */
const isOver = (ticket: Ticket, metric: SlaMetric): boolean => isDone(ticket) || (metric === 'first_response' && ticket.respondedAt !== null);

function foldEach(ticket: Ticket, factFor: (clock: Clock) => ClockFact | undefined): Folded {
  const effects: ClockEffect[] = [];
  const clocks = ticket.clocks.map((clock) => {
    const fact = factFor(clock);
    if (!fact) return clock;
    const folded = foldClock(clock, fact);
    effects.push(...folded.effects);
    return folded.clock;
  });
  return { ticket: clocks.every((clock, index) => clock === ticket.clocks[index]) ? ticket : { ...ticket, clocks }, effects };
}
