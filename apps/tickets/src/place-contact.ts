import { newId, type Contact, type ContactReceived, type Party, type TicketStatus } from '@tierline/events';
import { howToOpen, isAddressedToUs, isAutomatic } from './how-to-open.ts';
import type { NewMessage } from './message.entity.ts';
import { move, statusAfterReply } from './next-status.ts';
import type { Ticket } from './ticket.entity.ts';
import { whichTicket } from './which-ticket.ts';

/** The tier at which a ticket starts. */
const FIRST_TIER = 1;

/** What later states of a message must know of it. */
export type MessageState = Pick<NewMessage, 'id' | 'ticketId' | 'revision' | 'call'>;

/** What a contact did to a ticket. */
export interface Outcome {
  readonly event: ContactReceived;
  readonly ticket: Ticket;
  readonly customerId: string;
  readonly did: 'open' | 'reply';
  readonly automatic: boolean;
  readonly status?: { from: TicketStatus; to: TicketStatus };
}

/** The contacts of a batch meet what they may concern, loaded beforehand, so that deciding asks nobody; and what came of it, to be saved and told. */
export interface Desk {
  readonly now: Date;
  readonly reopenWindowMs: number;
  /** By `identityKey` of the sender. */
  readonly customers: ReadonlyMap<string, string>;
  readonly tickets: Map<string, Ticket>;
  /** Ticket ids by conversation and customer. */
  readonly conversations: ReadonlyMap<string, Map<string, string>>;
  /** By `messageKey`. */
  readonly messages: Map<string, MessageState>;

  readonly changedTickets: Set<Ticket>;
  readonly movedConversations: Map<string, { key: string; customerId: string; ticketId: string }>;
  readonly newMessages: NewMessage[];
  readonly revisedMessages: Set<MessageState>;
  readonly outcomes: Outcome[];
}

/** A contact is one within its account. */
export const messageKey = (accountRef: string, dedupeKey: string): string => `${accountRef}\n${dedupeKey}`;
/** Two spellings of one address have the same key. */
export const identityKey = ({ type, normalized }: Pick<Party, 'type' | 'normalized'>): string => `${type} ${normalized}`;

/** Who wrote. Somebody of whom nothing is known is somebody else in each conversation. */
export function senderOf({ from, conversationKey }: Pick<Contact, 'from' | 'conversationKey'>): Party {
  return from.normalized === '' ? { ...from, normalized: conversationKey } : from;
}

/** Puts a contact where it belongs: a later state with its message, what nobody addressed to us beside its conversation, and the rest into a ticket, theirs or a new one. */
export function placeContact(desk: Desk, event: ContactReceived): void {
  const contact = event.data;
  const original = contact.revisionOf === undefined ? undefined : desk.messages.get(messageKey(contact.accountRef, contact.revisionOf));
  if (original) {
    addMessage(desk, contact, original.ticketId === null ? undefined : ticketOn(desk, original.ticketId), { revises: original.id });
    revise(desk, original, contact);
    return;
  }

  const signed = ticketOn(desk, contact.threading.ticketId);
  const customerId = desk.customers.get(identityKey(senderOf(contact)));
  const conversation = conversationOn(desk, contact.conversationKey, customerId);
  if (!isAddressedToUs(contact) || customerId === undefined) {
    addMessage(desk, contact, signed ?? conversation[0]);
    return;
  }

  const automatic = isAutomatic(contact);
  const sender = { customerId, forged: contact.auth.verdict === 'failed', automatic };
  const { into, followUpOf, relatedTo } = whichTicket({ signed, conversation }, sender, desk.now, desk.reopenWindowMs);
  const ticket = into ?? openTicket(desk, contact, customerId, { followUpOf: followUpOf?.id ?? null, relatedTo: relatedTo?.id ?? null });
  joinConversation(desk, contact.conversationKey, customerId, ticket.id);
  addMessage(desk, contact, ticket, { byId: customerId, automatic });
  const status = into && answerTicket(desk, into, customerId, automatic);
  desk.outcomes.push({ event, ticket, customerId, did: into ? 'reply' : 'open', automatic, ...(status && { status }) });
}

/** The newest state of a call counts, in whatever order they come. */
function revise(desk: Desk, original: MessageState, { call, revision = original.revision + 1 }: Contact): void {
  if (!call || revision <= original.revision) return;
  original.revision = revision;
  original.call = call;
  desk.revisedMessages.add(original);
}

function openTicket(desk: Desk, contact: Contact, customerId: string, origin: Pick<Ticket, 'followUpOf' | 'relatedTo'>): Ticket {
  const ticket: Ticket = {
    id: newId(),
    number: 0,
    status: 'new',
    tier: FIRST_TIER,
    channel: contact.channel,
    accountRef: contact.accountRef,
    brand: contact.brand ?? null,
    customerId,
    participants: [customerId],
    assignee: null,
    mergedInto: null,
    openedAt: desk.now,
    changedAt: desk.now,
    solvedAt: null,
    closedAt: null,
    ...howToOpen(contact),
    ...origin,
  };
  desk.tickets.set(ticket.id, ticket);
  desk.changedTickets.add(ticket);
  return ticket;
}

/** What a customer's message does to a ticket beside being in it. Returns how its status changed, if it did. */
function answerTicket(desk: Desk, ticket: Ticket, customerId: string, automatic: boolean): Outcome['status'] {
  if (!ticket.participants.includes(customerId)) {
    ticket.participants = [...ticket.participants, customerId];
    desk.changedTickets.add(ticket);
  }
  const from = ticket.status;
  const to = automatic ? from : statusAfterReply(from);
  if (to === from) return undefined;
  move(ticket, to, desk.now);
  ticket.changedAt = desk.now;
  desk.changedTickets.add(ticket);
  return { from, to };
}

function joinConversation(desk: Desk, key: string, customerId: string, ticketId: string): void {
  const byCustomer = desk.conversations.get(key)!;
  if (byCustomer.get(customerId) === ticketId) return;
  byCustomer.set(customerId, ticketId);
  desk.movedConversations.set(`${key} ${customerId}`, { key, customerId, ticketId });
}

function addMessage(desk: Desk, contact: Contact, ticket: Ticket | undefined, given: Partial<NewMessage> = {}): void {
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

/** A ticket, or the one that speaks for it since they were merged. */
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
