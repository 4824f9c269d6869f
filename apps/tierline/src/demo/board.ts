import type {
  ClockBreached,
  ClockStarted,
  ClockStopped,
  ContactReceived,
  EscalationRaised,
  Event,
  TicketAssigned,
  TicketOffered,
  TicketQueued,
  TicketReplied,
  TicketRequeued,
} from '@tierline/events';

/** Where a ticket stands, as far as the board shows it. */
interface Waiting {
  queue: string;
  sinceMs: number;
  /** Ringing at an agent. */
  offered: boolean;
}

/** Everything the live board and the ledger know: a fold over the events of the line, kept in memory. */
export interface Board {
  events: number;
  /** Events of the last seconds, for the rate: [second, count]. */
  perSecond: [number, number][];
  contactsByChannel: Map<string, number>;
  contactIds: Set<string>;
  /** Contacts that were stored more than once: must stay empty. */
  doubledContacts: string[];
  ticketIds: Set<string>;
  doubledTickets: string[];
  /** Contacts that opened a ticket or were threaded into one. */
  handledContacts: Set<string>;
  /** Contacts handled more than once: must stay empty. */
  doubledReplies: string[];
  threaded: number;
  agentReplies: number;
  waiting: Map<string, Waiting>;
  offered: number;
  assigned: number;
  /** Offers that came back: declined, expired, or the agent went offline. */
  requeued: Map<string, number>;
  solved: number;
  clocksRunning: Set<string>;
  warned: number;
  met: number;
  breached: Set<string>;
  escalatedBreaches: Set<string>;
  doubledEscalations: string[];
  escalationsByTier: Map<number, number>;
  messagesRequested: number;
  messagesSent: number;
  messagesFailed: number;
  notices: number;
}

export function emptyBoard(): Board {
  return {
    events: 0,
    perSecond: [],
    contactsByChannel: new Map(),
    contactIds: new Set(),
    doubledContacts: [],
    ticketIds: new Set(),
    doubledTickets: [],
    handledContacts: new Set(),
    doubledReplies: [],
    threaded: 0,
    agentReplies: 0,
    waiting: new Map(),
    offered: 0,
    assigned: 0,
    requeued: new Map(),
    solved: 0,
    clocksRunning: new Set(),
    warned: 0,
    met: 0,
    breached: new Set(),
    escalatedBreaches: new Set(),
    doubledEscalations: [],
    escalationsByTier: new Map(),
    messagesRequested: 0,
    messagesSent: 0,
    messagesFailed: 0,
    notices: 0,
  };
}

/** Folds one event into the board. Topics come in any order between each other, so no branch relies on another topic's events. */
export function fold(board: Board, event: Event): void {
  board.events++;
  tick(board, Math.floor(Date.parse(event.time) / 1000));
  switch (event.type) {
    case 'contact.received': {
      const { id, channel } = (event as ContactReceived).data;
      if (board.contactIds.has(id)) board.doubledContacts.push(id);
      board.contactIds.add(id);
      count(board.contactsByChannel, channel);
      break;
    }
    case 'ticket.opened': {
      const { ticketId, contactId } = event.data as { ticketId: string; contactId: string };
      if (board.ticketIds.has(ticketId)) board.doubledTickets.push(ticketId);
      board.ticketIds.add(ticketId);
      handled(board, contactId);
      break;
    }
    case 'ticket.replied': {
      const { contactId, by } = (event as TicketReplied).data;
      if (contactId !== undefined) {
        board.threaded++;
        handled(board, contactId);
      } else if (by.kind === 'agent') board.agentReplies++;
      break;
    }
    case 'ticket.changed':
      if ((event.data as { status?: { to: string } }).status?.to === 'solved') board.solved++;
      break;
    case 'ticket.queued': {
      const { ticketId, queue, enqueuedAt } = (event as TicketQueued).data;
      board.waiting.set(ticketId, { queue, sinceMs: Date.parse(enqueuedAt), offered: false });
      break;
    }
    case 'ticket.withdrawn':
      board.waiting.delete((event.data as { ticketId: string }).ticketId);
      break;
    case 'ticket.offered': {
      const waiting = board.waiting.get((event as TicketOffered).data.ticketId);
      if (waiting) waiting.offered = true;
      board.offered++;
      break;
    }
    case 'ticket.assigned':
      board.waiting.delete((event as TicketAssigned).data.ticketId);
      board.assigned++;
      break;
    case 'ticket.requeued': {
      const { ticketId, queue, enqueuedAt, reason } = (event as TicketRequeued).data;
      board.waiting.set(ticketId, { queue, sinceMs: Date.parse(enqueuedAt), offered: false });
      count(board.requeued, reason);
      break;
    }
    case 'clock.started':
      for (const { clockId } of (event as ClockStarted).data.clocks) board.clocksRunning.add(clockId);
      break;
    case 'clock.stopped':
      board.clocksRunning.delete((event as ClockStopped).data.clockId);
      if ((event as ClockStopped).data.result === 'met') board.met++;
      break;
    case 'clock.cancelled':
      board.clocksRunning.delete((event.data as { clockId: string }).clockId);
      break;
    case 'clock.warned':
      board.warned++;
      break;
    case 'clock.breached':
      board.breached.add((event as ClockBreached).data.clockId);
      break;
    case 'escalation.raised': {
      const { breach, toTier } = (event as EscalationRaised).data;
      if (breach) {
        if (board.escalatedBreaches.has(breach.clockId)) board.doubledEscalations.push(breach.clockId);
        board.escalatedBreaches.add(breach.clockId);
      }
      count(board.escalationsByTier, toTier);
      break;
    }
    case 'message.requested':
      board.messagesRequested++;
      break;
    case 'message.sent':
      board.messagesSent++;
      break;
    case 'message.failed':
      board.messagesFailed++;
      break;
    case 'notice.sent':
      board.notices++;
      break;
  }
}

function handled(board: Board, contactId: string): void {
  if (board.handledContacts.has(contactId)) board.doubledReplies.push(contactId);
  board.handledContacts.add(contactId);
}

function count<K>(map: Map<K, number>, key: K): void {
  map.set(key, (map.get(key) ?? 0) + 1);
}

const RATE_SECONDS = 5;

function tick(board: Board, second: number): void {
  const last = board.perSecond.at(-1);
  if (last?.[0] === second) last[1]++;
  else board.perSecond.push([second, 1]);
  if (board.perSecond.length > RATE_SECONDS * 4) board.perSecond.shift();
}

/** Events a second over the last few whole seconds. */
export function eventRate(board: Board, nowMs: number): number {
  const now = Math.floor(nowMs / 1000);
  const recent = board.perSecond.filter(([second]) => second < now && second >= now - RATE_SECONDS);
  return recent.reduce((sum, [, events]) => sum + events, 0) / RATE_SECONDS;
}
