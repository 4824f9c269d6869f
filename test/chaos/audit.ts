import type {
  ClockBreached,
  ClockBreachRevoked,
  ClockCancelled,
  ClockPaused,
  ClockResumed,
  ClockStarted,
  ClockStopped,
  ContactReceived,
  EscalationRaised,
  MessageFailed,
  MessageRequested,
  MessageSent,
  NoticeSent,
  TicketAssigned,
  TicketOpened,
  TicketQueued,
  TicketReplied,
  TicketRequeued,
  TicketUnassigned,
} from '@tierline/events';
import { conversationOf, nameIn, numberOf, type ContactName, type ReadLedger } from './ledger.ts';

/** What an anomaly is counted as. */
export type Kind = 'lost' | 'doubled' | 'outOfOrder' | 'timersLost' | 'timersDoubled';

export interface Finding {
  readonly kind: Kind;
  readonly what: string;
}

/** A bucket of a topic, in the log of a writer. */
export interface LogStream {
  readonly log: string;
  readonly topic: string;
  readonly bucket: number;
}

type ClockEvent = ClockStarted | ClockPaused | ClockResumed | ClockStopped | ClockCancelled | ClockBreached | ClockBreachRevoked;
type LineEvent =
  | ContactReceived
  | (TicketOpened | TicketReplied | TicketQueued | TicketAssigned | TicketUnassigned | TicketRequeued)
  | ClockEvent
  | (EscalationRaised | NoticeSent | MessageRequested | MessageSent | MessageFailed);

/** An event as a log holds it. `at` is when its transaction began, by the database's clock, in ms since 1970. Events of types that are not named here are only counted. */
export type LoggedEvent = LogStream & { readonly pos: number; readonly at: number } & Pick<LineEvent, 'id' | 'key' | 'causationId'> & LineEvent;

/** A customer's message as tickets keeps it. */
export interface KeptMessage {
  readonly id: string;
  readonly ticketId: string | null;
  readonly text: string | null;
}

/** An offer as routing keeps it; times in ms since 1970. */
export interface Offer {
  readonly agentId: string;
  readonly offeredAt: number;
  /** Null while it rings. */
  readonly endedAt: number | null;
}

export interface Audited {
  readonly stored: number;
  readonly timersDue: number;
  readonly findings: readonly Finding[];
  /** When each contact that opened a ticket was received, and when it had gone through: ticket, queue, and clocks. */
  readonly through: readonly { readonly receivedAt: number; readonly doneAt: number }[];
}

interface ContactFacts {
  readonly name: ContactName;
  readonly receivedAt: number;
  kept: number;
  threaded: number;
}

interface TicketFacts {
  readonly channel: string;
  readonly contactId: string;
  opened: number;
  queued: number;
  clocked: number;
  acknowledged: number;
  /** When the last of its first events was appended. */
  doneAt: number;
  assignee?: string | undefined;
}

interface ClockFacts {
  readonly ticketId: string;
  dueAt: number;
  /** From when on it has been stopped or paused. */
  standsFrom: number | undefined;
  isCancelled: boolean;
  breaches: number;
  /** Breaches that turned out to be none. */
  revoked: number;
  escalations: number;
}

interface MessageFacts {
  readonly ticketId: string;
  requested: number;
  sent: number;
  failed: number;
}

/**
 * Adds up what the logs and tables say against what the senders know: acknowledged ⊆ stored, one effect each, in order, every due timer once.
 * Pure. Events come topic by topic in the order of the line, and in that by log, bucket and position; then messages, in the order in which they were kept.
 */
export class Audit {
  private readonly findings: Finding[] = [];
  /** By contact id. */
  private readonly contacts = new Map<string, ContactFacts>();
  private readonly idsOf = new Map<ContactName, Set<string>>();
  private readonly tickets = new Map<string, TicketFacts>();
  private readonly ticketsOf = new Map<string, Set<string>>();
  private readonly clocks = new Map<string, ClockFacts>();
  private readonly messages = new Map<string, MessageFacts>();
  /** By event id of the escalation. */
  private readonly owedNotices = new Map<string, { ownerId: string; notices: number }>();
  /** The last position of each stream: as the writer says, and as the broker has it. */
  private readonly heads = new Map<string, number>();
  private readonly atBroker = new Map<string, number>();
  /** The last number seen, by what is in order. */
  private readonly last = new Map<string, number>();

  event(event: LoggedEvent): void {
    this.checkPosition(event);
    switch (event.type) {
      case 'contact.received':
        return this.onReceived(event);
      case 'ticket.opened':
        return this.onOpened(event);
      case 'ticket.replied': {
        const { contactId, ticketId } = event.data;
        return contactId === undefined ? undefined : this.onThreaded(contactId, ticketId);
      }
      case 'ticket.queued':
        if (event.data.reason === 'opened') this.onBegun(event, 'queued');
        return;
      case 'ticket.assigned':
      case 'ticket.unassigned':
      case 'ticket.requeued':
        return this.onAssignment(event);
      case 'clock.started':
        return this.onClocksStarted(event);
      case 'clock.paused':
      case 'clock.resumed':
      case 'clock.stopped':
      case 'clock.cancelled':
      case 'clock.breached':
      case 'clock.breach_revoked':
        return this.onClock(event);
      case 'escalation.raised':
        return this.onEscalated(event);
      case 'notice.sent': {
        const owed = this.owedNotices.get(event.causationId ?? '');
        if (owed?.ownerId === event.data.toAgentId) owed.notices++;
        return;
      }
      case 'message.requested':
      case 'message.sent':
      case 'message.failed':
        return this.onMessage(event);
    }
  }

  /** The end of a stream, as its head has it. */
  head(stream: LogStream & { readonly last: number }): void {
    const found = this.last.get(nameOf(stream)) ?? 0;
    if (found !== stream.last) this.find('lost', `${nameOf(stream)} ends at ${found}, its head says ${stream.last}`);
    this.heads.set(nameOf(stream), stream.last);
  }

  /** A record of a broker, in the order of its offsets. The relay may have begun again: what counts is when a position was there first. */
  shipped({ pos, ...stream }: LogStream & { readonly pos: number }): void {
    const name = nameOf(stream);
    const before = this.atBroker.get(name) ?? 0;
    if (pos > before + 1) this.find('outOfOrder', `${name} goes from ${before} to ${pos} at the broker`);
    this.atBroker.set(name, Math.max(before, pos));
  }

  message({ id, ticketId, text }: KeptMessage): void {
    const contact = this.contacts.get(id);
    if (!contact) return this.find('doubled', `message ${id} (${nameIn(text) ?? 'nameless'}) has no contact`);
    contact.kept++;
    if (ticketId === null) this.find('lost', `message ${id} (${contact.name}) belongs to no ticket`);
    this.checkOrder('kept', contact.name);
  }

  /** The offers of a ticket, in the order in which they were made: at most one rings at a time. */
  offers(ticketId: string, offers: readonly Offer[]): void {
    offers.reduce((before, offer) => {
      if ((before.endedAt ?? Infinity) > offer.offeredAt) {
        this.find('doubled', `ticket ${ticketId} was offered to ${offer.agentId} while it was to ${before.agentId}`);
      }
      return offer;
    });
  }

  /** Something that was found elsewhere. */
  find(kind: Kind, what: string): void {
    this.findings.push({ kind, what });
  }

  /** Draws the line. `now` is the database's; `acknowledges` says in which channels customers are thanked. */
  finish({ sent, acked }: ReadLedger, now: number, acknowledges: (channel: string) => boolean): Audited {
    for (const name of acked) if (!this.idsOf.has(name)) this.find('lost', `${name} was acknowledged and never came in`);
    for (const [name, ids] of this.idsOf) {
      if (!sent.has(name)) this.find('doubled', `${name} came in and was never sent`);
      if (ids.size > 1) this.find('doubled', `${name} came in ${ids.size} times: ${[...ids].join(', ')}`);
    }
    for (const [id, { name, kept, threaded }] of this.contacts) {
      this.expectOne(kept, `message for ${name} (${id})`);
      this.expectOne(threaded, `ticket or reply for ${name} (${id})`);
    }
    for (const [conversation, tickets] of this.ticketsOf) if (tickets.size > 1) this.find('doubled', `${conversation} is in ${tickets.size} tickets`);
    for (const [ticketId, { opened, queued, clocked, acknowledged, channel }] of this.tickets) {
      if (opened > 1) this.find('doubled', `ticket ${ticketId} was opened ${opened} times`);
      this.expectOne(queued, `place in a queue for ticket ${ticketId}`);
      this.expectOne(clocked, `set of clocks for ticket ${ticketId}`);
      if (acknowledges(channel)) this.expectOne(acknowledged, `acknowledgement for ticket ${ticketId}`);
    }
    for (const [eventId, { ownerId, notices }] of this.owedNotices) this.expectOne(notices, `notice to ${ownerId} for escalation ${eventId}`);
    for (const [messageId, { ticketId, requested, sent: times, failed }] of this.messages) {
      if (times + failed === 0) this.find('lost', `message ${messageId} of ticket ${ticketId} was neither sent nor failed`);
      // What was reported as unknown may turn out to be sent after all.
      if (requested !== 1 || times > 1 || failed > 1) {
        this.find('doubled', `message ${messageId} of ticket ${ticketId} was requested ${requested} times, sent ${times} times, failed ${failed} times`);
      }
    }
    for (const [stream, last] of this.atBroker.size > 0 ? this.heads : []) {
      const shipped = this.atBroker.get(stream) ?? 0;
      if (shipped < last) this.find('lost', `${stream} goes to ${last}, and to ${shipped} at the broker`);
    }
    const timersDue = [...this.clocks].filter(([clockId, clock]) => this.checkClock(clockId, clock, now)).length;
    return { stored: this.idsOf.size, timersDue, findings: this.findings, through: this.through() };
  }

  private onReceived({ data, at, key }: LoggedEvent & ContactReceived): void {
    const name = nameIn(data.text ?? data.subject);
    if (name === undefined) return this.find('doubled', `contact ${data.id} is none of ours`);
    const ids = this.idsOf.get(name) ?? new Set();
    this.idsOf.set(name, ids.add(data.id));
    if (this.contacts.has(data.id)) return this.find('doubled', `${name} (${data.id}) was received twice`);
    this.contacts.set(data.id, { name, receivedAt: Math.min(Date.parse(data.receivedAt), at), kept: 0, threaded: 0 });
    this.checkOrder(`received under ${key}`, name);
  }

  private onOpened({ data, at }: LoggedEvent & TicketOpened): void {
    const { ticketId, contactId, channel } = data;
    const ticket = this.tickets.get(ticketId);
    if (ticket) ticket.opened++;
    else this.tickets.set(ticketId, { channel, contactId, opened: 1, queued: 0, clocked: 0, acknowledged: 0, doneAt: at });
    this.onThreaded(contactId, ticketId);
  }

  private onThreaded(contactId: string, ticketId: string): void {
    const contact = this.contacts.get(contactId);
    if (!contact) return this.find('doubled', `contact ${contactId} in ticket ${ticketId} never came in`);
    contact.threaded++;
    const conversation = conversationOf(contact.name);
    const tickets = this.ticketsOf.get(conversation) ?? new Set();
    this.ticketsOf.set(conversation, tickets.add(ticketId));
    this.checkOrder(`threaded into ${ticketId}`, contact.name);
  }

  private onBegun(event: LoggedEvent & (TicketQueued | ClockStarted), what: 'queued' | 'clocked'): void {
    const ticket = this.ticketOf(event);
    if (!ticket) return;
    ticket[what]++;
    ticket.doneAt = Math.max(ticket.doneAt, event.at);
  }

  private onAssignment(event: LoggedEvent & (TicketAssigned | TicketUnassigned | TicketRequeued)): void {
    const ticket = this.ticketOf(event);
    if (!ticket) return;
    const { ticketId, agentId } = event.data;
    if (event.type === 'ticket.assigned') {
      if (ticket.assignee !== undefined) this.find('doubled', `ticket ${ticketId} went to ${agentId} while ${ticket.assignee} had it`);
      ticket.assignee = agentId;
    } else if (ticket.assignee === agentId) ticket.assignee = undefined;
  }

  private onClocksStarted(event: LoggedEvent & ClockStarted): void {
    const { ticketId, clocks } = event.data;
    this.onBegun(event, 'clocked');
    for (const { clockId, dueAt } of clocks) {
      if (this.clocks.has(clockId)) this.find('doubled', `clock ${clockId} of ticket ${ticketId} was started twice`);
      this.clocks.set(clockId, { ticketId, dueAt: Date.parse(dueAt), standsFrom: undefined, isCancelled: false, breaches: 0, revoked: 0, escalations: 0 });
    }
  }

  private onClock(event: LoggedEvent & Exclude<ClockEvent, ClockStarted>): void {
    const clock = this.clockOf(event, event.data.clockId);
    if (!clock) return;
    switch (event.type) {
      case 'clock.paused':
        clock.standsFrom = Math.min(clock.standsFrom ?? Infinity, Date.parse(event.data.pausedAt));
        return;
      case 'clock.stopped':
        clock.standsFrom = Math.min(clock.standsFrom ?? Infinity, Date.parse(event.data.stoppedAt));
        return;
      case 'clock.resumed':
        clock.standsFrom = undefined;
        clock.dueAt = Date.parse(event.data.dueAt);
        return;
      case 'clock.cancelled':
        clock.isCancelled = true;
        return;
      case 'clock.breached': {
        const { clockId, breachedAt } = event.data;
        clock.breaches++;
        if (event.at < Date.parse(breachedAt)) this.find('timersLost', `clock ${clockId} was breached before it was due at ${breachedAt}`);
        return;
      }
      case 'clock.breach_revoked':
        clock.revoked++;
    }
  }

  private onEscalated(event: LoggedEvent & EscalationRaised): void {
    const { breach, ownerId } = event.data;
    if (ownerId !== undefined) this.owedNotices.set(event.id, { ownerId, notices: 0 });
    const clock = breach && this.clockOf(event, breach.clockId);
    if (clock) clock.escalations++;
  }

  /** The logs of several services hold these: they come in any order. */
  private onMessage(event: LoggedEvent & (MessageRequested | MessageSent | MessageFailed)): void {
    const { messageId, ticketId } = event.data;
    const message = this.messages.get(messageId) ?? { ticketId, requested: 0, sent: 0, failed: 0 };
    this.messages.set(messageId, message);
    if (event.type === 'message.sent') message.sent++;
    else if (event.type === 'message.failed') message.failed++;
    else {
      message.requested++;
      const ticket = this.ticketOf(event);
      if (event.data.kind === 'acknowledgement' && ticket) ticket.acknowledged++;
    }
  }

  private ticketOf({ type, data: { ticketId } }: { type: string; data: { ticketId: string } }): TicketFacts | undefined {
    const ticket = this.tickets.get(ticketId);
    if (!ticket) this.find('doubled', `${type}: ticket ${ticketId} was never opened`);
    return ticket;
  }

  private clockOf({ type }: LoggedEvent, clockId: string): ClockFacts | undefined {
    const clock = this.clocks.get(clockId);
    if (!clock) this.find('doubled', `${type}: clock ${clockId} was never started`);
    return clock;
  }

  private checkPosition(event: LoggedEvent): void {
    const stream = nameOf(event);
    const before = this.last.get(stream) ?? 0;
    if (event.pos !== before + 1) this.find('lost', `${stream} goes from ${before} to ${event.pos}`);
    this.last.set(stream, event.pos);
  }

  /** Each contact of a conversation has a higher number than the one before. That one is missing is found elsewhere. */
  private checkOrder(where: string, name: ContactName): void {
    const sequence = `${conversationOf(name)} ${where}`;
    const before = this.last.get(sequence) ?? 0;
    if (numberOf(name) < before) this.find('outOfOrder', `${name} was ${where} after ${before}`);
    this.last.set(sequence, numberOf(name));
  }

  /** Whether the clock fell due while it ran. */
  private checkClock(clockId: string, clock: ClockFacts, now: number): boolean {
    const { ticketId, dueAt, standsFrom, isCancelled, breaches, revoked, escalations } = clock;
    const isDue = !isCancelled && dueAt < (standsFrom ?? now);
    const standing = breaches - revoked;
    const name = `clock ${clockId} of ticket ${ticketId}`;
    if (isDue && standing < 1) this.find('timersLost', `${name} fell due at ${new Date(dueAt).toISOString()} and was not breached`);
    if (standing > 1) this.find('timersDoubled', `${name} was breached ${standing} times`);
    if (standing > 0 && !isDue && !isCancelled) this.find('timersDoubled', `${name} was breached and had not fallen due`);
    if (escalations < breaches) this.find('lost', `${name} was breached ${breaches} times and escalated ${escalations} times`);
    if (escalations > breaches) this.find('doubled', `${name} was breached ${breaches} times and escalated ${escalations} times`);
    return isDue;
  }

  private through(): Audited['through'] {
    return [...this.tickets.values()].flatMap(({ contactId, queued, clocked, doneAt }) => {
      const contact = this.contacts.get(contactId);
      return contact && queued > 0 && clocked > 0 ? [{ receivedAt: contact.receivedAt, doneAt }] : [];
    });
  }

  private expectOne(times: number, what: string): void {
    if (times === 0) this.find('lost', `there is no ${what}`);
    if (times > 1) this.find('doubled', `there are ${times} of one ${what}`);
  }
}

const nameOf = ({ log, topic, bucket }: LogStream): string => `${log} ${topic}/${bucket}`;
