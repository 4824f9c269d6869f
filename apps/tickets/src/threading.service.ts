import { Injectable } from '@nestjs/common';
import { newId, TicketOpened, TicketReplied, type Contact, type ContactReceived, type Party } from '@tierline/events';
import type { LogTransaction } from '@tierline/log';
import { ChangesService } from './changes.service.ts';
import { ConfigurationService } from './configuration.service.ts';
import { findOrMakeCustomers, identityKey } from './customer.entity.ts';
import { howToOpen, isAddressedToUs, isAutomatic, previewOf } from './how-to-open.ts';
import { insertMessages, type NewMessage } from './message.entity.ts';
import { move, statusAfterReply } from './next-status.ts';
import { lockTickets, saveTickets, type Ticket } from './ticket.entity.ts';
import { whichTicket } from './which-ticket.ts';

/** The tier at which a ticket starts. */
const FIRST_TIER = 1;
/** Of a public thread with thousands of writers only so many tickets are looked at. */
const MAX_CONVERSATION_TICKETS = 20;

type MessageState = Pick<NewMessage, 'id' | 'ticketId' | 'revision' | 'call'>;

/** A batch of contacts on the desk, while it is decided where each belongs: everything it may concern is here, so that deciding asks nobody. */
interface Desk {
  readonly now: Date;
  readonly reopenWindowMs: number;
  readonly tickets: Map<string, Ticket>;
  /** Ticket ids by conversation and customer. */
  readonly conversations: Map<string, Map<string, string>>;
  /** Messages by account and dedupe key: those that contacts of this batch repeat or revise, and those of the batch. */
  readonly messages: Map<string, MessageState>;
  readonly customers: ReadonlyMap<string, string>;
  // What came of it.
  readonly newMessages: NewMessage[];
  readonly revised: Set<MessageState>;
  readonly changed: Set<Ticket>;
  readonly moved: Map<string, { key: string; customerId: string; ticketId: string }>;
  readonly announcements: (() => void | Promise<void>)[];
}

/** Threads contacts into tickets: a fixed handful of statements for a batch, however many contacts are in it. */
@Injectable()
export class ThreadingService {
  constructor(
    private readonly configuration: ConfigurationService,
    private readonly changes: ChangesService,
  ) {}

  async thread(events: readonly ContactReceived[], tx: LogTransaction): Promise<void> {
    const messages = await this.findMessages(tx, events);
    const fresh = events.filter(({ data: { id, accountRef, dedupeKey } }) => {
      const key = messageKey(accountRef, dedupeKey);
      if (messages.has(key)) return false;
      messages.set(key, { id, ticketId: null, revision: 0 });
      return true;
    });
    if (fresh.length === 0) return;
    const customers = await findOrMakeCustomers(
      tx,
      fresh.flatMap(({ data }) => (isAddressedToUs(data) ? senderOf(data) : [])),
    );
    const desk = await this.layOut(tx, fresh, messages, customers);
    for (const event of fresh) this.place(tx, desk, event);
    await saveTickets(tx, [...desk.changed]);
    await this.moveConversations(tx, desk);
    await insertMessages(tx, desk.newMessages);
    await this.revise(tx, desk);
    for (const announce of desk.announcements) await announce();
  }

  /** The messages that are there already, of those that the contacts repeat or revise. */
  private async findMessages(tx: LogTransaction, events: readonly ContactReceived[]): Promise<Map<string, MessageState>> {
    const wanted = events.flatMap(({ data: { accountRef, dedupeKey, revisionOf } }) =>
      revisionOf === undefined ? [[accountRef, dedupeKey] as const] : [[accountRef, dedupeKey] as const, [accountRef, revisionOf] as const],
    );
    const rows = await tx.query<MessageState & { account: string; key: string }>(
      `SELECT wanted.account, wanted.key, m.* FROM unnest($1::text[], $2::text[]) AS wanted(account, key) CROSS JOIN LATERAL (
         SELECT id, ticket_id AS "ticketId", revision FROM tickets.message WHERE account_ref = wanted.account AND dedupe_key = wanted.key LIMIT 1) m`,
      [wanted.map(([account]) => account), wanted.map(([, key]) => key)],
    );
    return new Map(rows.map(({ account, key, ...message }) => [messageKey(account, key), message]));
  }

  /** Loads, and locks, the tickets that the contacts may belong to. */
  private async layOut(
    tx: LogTransaction,
    events: readonly ContactReceived[],
    messages: Map<string, MessageState>,
    customers: ReadonlyMap<string, string>,
  ): Promise<Desk> {
    const conversations = await this.findConversations(tx, events, customers);
    const ids = new Set([...conversations.values()].flatMap((byCustomer) => [...byCustomer.values()]));
    for (const { data } of events)
      if (data.threading.ticketId !== undefined && UUID.test(data.threading.ticketId)) ids.add(data.threading.ticketId.toLowerCase());
    for (const { ticketId } of messages.values()) if (ticketId !== null) ids.add(ticketId);
    const tickets = new Map((await lockTickets(tx, ids)).map((ticket) => [ticket.id, ticket]));
    // What has been merged is spoken for by the ticket that it was merged into.
    for (const target of await lockTickets(
      tx,
      [...tickets.values()].flatMap(({ mergedInto }) => mergedInto ?? []),
    ))
      tickets.set(target.id, target);
    return {
      now: await tx.now(),
      reopenWindowMs: tickets.size > 0 ? (await this.configuration.current(tx)).reopenWindow : 0,
      tickets,
      conversations,
      messages,
      customers,
      newMessages: [],
      revised: new Set(),
      changed: new Set(),
      moved: new Map(),
      announcements: [],
    };
  }

  private async findConversations(
    tx: LogTransaction,
    events: readonly ContactReceived[],
    customers: ReadonlyMap<string, string>,
  ): Promise<Desk['conversations']> {
    const conversations: Desk['conversations'] = new Map(events.map(({ data }) => [data.conversationKey, new Map<string, string>()]));
    const rows = await tx.query<{ key: string; customerId: string; ticketId: string }>(
      `SELECT wanted.key, c.* FROM unnest($1::text[], $2::uuid[]) AS wanted(key, customer_id) CROSS JOIN LATERAL (
         (SELECT customer_id AS "customerId", ticket_id AS "ticketId" FROM tickets.conversation WHERE key = wanted.key AND customer_id = wanted.customer_id)
         UNION ALL (SELECT customer_id, ticket_id FROM tickets.conversation WHERE key = wanted.key LIMIT ${MAX_CONVERSATION_TICKETS})) c`,
      [events.map(({ data }) => data.conversationKey), events.map(({ data }) => customers.get(identityKey(senderOf(data))) ?? null)],
    );
    for (const { key, customerId, ticketId } of rows) conversations.get(key)!.set(customerId, ticketId);
    return conversations;
  }

  /** Decides where one contact belongs, on what is on the desk, with what earlier contacts of the batch have made of it. */
  private place(tx: LogTransaction, desk: Desk, event: ContactReceived): void {
    const contact = event.data;
    const original = contact.revisionOf === undefined ? undefined : desk.messages.get(messageKey(contact.accountRef, contact.revisionOf));
    if (original) {
      this.addMessage(desk, contact, original.ticketId === null ? undefined : ticketOn(desk, original.ticketId), { revises: original.id });
      const revision = contact.revision ?? original.revision + 1;
      if (contact.call && revision > original.revision) {
        original.revision = revision;
        original.call = contact.call;
        desk.revised.add(original);
      }
      return;
    }

    const signed = ticketOn(desk, contact.threading.ticketId);
    const customerId = desk.customers.get(identityKey(senderOf(contact)));
    const conversation = conversationOn(desk, contact.conversationKey, customerId);
    if (!isAddressedToUs(contact) || customerId === undefined) {
      this.addMessage(desk, contact, signed ?? conversation[0]);
      return;
    }

    const automatic = isAutomatic(contact);
    const sender = { customerId, forged: contact.auth.verdict === 'failed', automatic };
    const { into, followUpOf, relatedTo } = whichTicket({ signed, conversation }, sender, desk.now, desk.reopenWindowMs);
    const ticket = into ?? this.open(desk, contact, customerId, followUpOf, relatedTo);
    if (desk.conversations.get(contact.conversationKey)!.get(customerId) !== ticket.id) {
      desk.conversations.get(contact.conversationKey)!.set(customerId, ticket.id);
      desk.moved.set(`${contact.conversationKey} ${customerId}`, { key: contact.conversationKey, customerId, ticketId: ticket.id });
    }
    this.addMessage(desk, contact, ticket, { byId: customerId, automatic });
    if (into) this.announceReply(tx, desk, event, ticket, customerId, automatic);
    else this.announceOpening(tx, desk, event, ticket);
  }

  private open(desk: Desk, contact: Contact, customerId: string, followUpOf: Ticket | undefined, relatedTo: Ticket | undefined): Ticket {
    const ticket: Ticket = {
      id: newId(),
      number: 0,
      status: 'new',
      ...howToOpen(contact),
      tier: FIRST_TIER,
      channel: contact.channel,
      accountRef: contact.accountRef,
      brand: contact.brand ?? null,
      customerId,
      participants: [customerId],
      assignee: null,
      followUpOf: followUpOf?.id ?? null,
      relatedTo: relatedTo?.id ?? null,
      mergedInto: null,
      openedAt: desk.now,
      changedAt: desk.now,
      solvedAt: null,
      closedAt: null,
    };
    desk.tickets.set(ticket.id, ticket);
    desk.changed.add(ticket);
    return ticket;
  }

  private addMessage(desk: Desk, contact: Contact, ticket: Ticket | undefined, given: Partial<NewMessage> = {}): void {
    const message: NewMessage = {
      id: contact.id,
      ticketId: ticket?.id ?? null,
      kind: contact.kind,
      channel: contact.channel,
      accountRef: contact.accountRef,
      dedupeKey: contact.dedupeKey,
      conversationKey: contact.conversationKey,
      byKind: contact.direction === 'inbound' ? 'customer' : 'agent',
      byId: null,
      public: true,
      automatic: false,
      sender: contact.from,
      replyTo: contact.replyTo ?? null,
      verdict: contact.auth.verdict,
      subject: contact.subject ?? null,
      text: contact.text ?? null,
      textStripped: contact.textStripped === contact.text ? null : (contact.textStripped ?? null),
      html: contact.html ?? null,
      attachments: contact.attachments.length > 0 ? contact.attachments : null,
      call: contact.call ?? null,
      revision: 0,
      rawRef: contact.raw.ref,
      occurredAt: new Date(contact.occurredAt),
      at: desk.now,
      ...given,
    };
    desk.newMessages.push(message);
    desk.messages.set(messageKey(contact.accountRef, contact.dedupeKey), message);
  }

  private announceOpening(tx: LogTransaction, desk: Desk, event: ContactReceived, ticket: Ticket): void {
    const contact = event.data;
    const { status, priority, labels } = ticket;
    desk.announcements.push(() => {
      tx.append(
        TicketOpened,
        ticket.id,
        {
          ticketId: ticket.id,
          number: ticket.number,
          contactId: contact.id,
          messageId: contact.id,
          channel: ticket.channel,
          accountRef: ticket.accountRef,
          brand: contact.brand,
          conversationKey: contact.conversationKey,
          customerId: ticket.customerId,
          replyTo: contact.replyTo ?? contact.from,
          subject: ticket.subject,
          preview: previewOf(contact),
          language: ticket.language ?? undefined,
          status,
          priority,
          labels,
          tier: ticket.tier,
          followUpOf: ticket.followUpOf ?? undefined,
          silent: ticket.silent,
          occurredAt: contact.occurredAt,
          openedAt: ticket.openedAt.toISOString(),
        },
        event,
      );
    });
  }

  private announceReply(tx: LogTransaction, desk: Desk, event: ContactReceived, ticket: Ticket, customerId: string, automatic: boolean): void {
    const contact = event.data;
    if (!ticket.participants.includes(customerId)) {
      ticket.participants = [...ticket.participants, customerId];
      desk.changed.add(ticket);
    }
    const from = ticket.status;
    const to = automatic ? from : statusAfterReply(from);
    if (to !== from) {
      move(ticket, to, desk.now);
      ticket.changedAt = desk.now;
      desk.changed.add(ticket);
    }
    const by = { kind: 'customer', id: customerId } as const;
    desk.announcements.push(async () => {
      const occurred = { channel: contact.channel, preview: previewOf(contact), automatic, occurredAt: contact.occurredAt };
      tx.append(TicketReplied, ticket.id, { ticketId: ticket.id, messageId: contact.id, contactId: contact.id, by, public: true, ...occurred }, event);
      if (to !== from) await this.changes.announce(tx, ticket, { status: { from, to } }, by, event);
    });
  }

  private async moveConversations(tx: LogTransaction, { moved }: Desk): Promise<void> {
    if (moved.size === 0) return;
    const rows = [...moved].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
    await tx.query(
      `INSERT INTO tickets.conversation (key, customer_id, ticket_id) SELECT * FROM unnest($1::text[], $2::uuid[], $3::uuid[])
       ON CONFLICT (key, customer_id) DO UPDATE SET ticket_id = excluded.ticket_id`,
      [rows.map(({ key }) => key), rows.map(({ customerId }) => customerId), rows.map(({ ticketId }) => ticketId)],
    );
  }

  /** Messages of this batch carry their latest state already. */
  private async revise(tx: LogTransaction, { revised, newMessages }: Desk): Promise<void> {
    const fresh = new Set<MessageState>(newMessages);
    const old = [...revised].filter((message) => !fresh.has(message));
    if (old.length === 0) return;
    await tx.query(
      `UPDATE tickets.message m SET call = n.call, revision = n.revision FROM unnest($1::uuid[], $2::json[], $3::int[]) AS n(id, call, revision) WHERE m.id = n.id`,
      [old.map(({ id }) => id), old.map(({ call }) => JSON.stringify(call)), old.map(({ revision }) => revision)],
    );
  }
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const messageKey = (accountRef: string, dedupeKey: string): string => `${accountRef}\n${dedupeKey}`;

/** Who wrote. Somebody of whom nothing is known is somebody else in each conversation. */
function senderOf({ from, conversationKey }: Contact): Party {
  return from.normalized === '' ? { ...from, normalized: conversationKey } : from;
}

function ticketOn(desk: Desk, id: string | undefined): Ticket | undefined {
  const ticket = id === undefined ? undefined : desk.tickets.get(id.toLowerCase());
  return ticket?.mergedInto ? desk.tickets.get(ticket.mergedInto) : ticket;
}

/** The tickets of a conversation: the sender's own, then the others, oldest first. */
function conversationOn(desk: Desk, key: string, customerId: string | undefined): Ticket[] {
  const byCustomer = desk.conversations.get(key)!;
  const own = customerId === undefined ? undefined : ticketOn(desk, byCustomer.get(customerId));
  const others = [...byCustomer.values()].flatMap((id) => ticketOn(desk, id) ?? []).sort((a, b) => (a.id < b.id ? -1 : 1));
  return own ? [own, ...others.filter((ticket) => ticket !== own)] : others;
}
