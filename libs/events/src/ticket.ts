import { z } from 'zod';
import { channelName, party, pii } from './contact.ts';
import { defineEvent, type EventOf } from './event.ts';

export const ticketStatus = z.enum(['new', 'open', 'pending', 'on_hold', 'solved', 'closed']);
export type TicketStatus = z.infer<typeof ticketStatus>;

export const ticketPriority = z.enum(['urgent', 'high', 'normal', 'low']);
export type TicketPriority = z.infer<typeof ticketPriority>;

/** Who did something. */
export const actor = z.object({ kind: z.enum(['customer', 'agent', 'system', 'client']), id: z.string().optional() }).meta({ id: 'Actor' });
export type Actor = z.infer<typeof actor>;

/** A contact that belonged to no open ticket opened one. Key: the ticket. */
export const TicketOpened = defineEvent(
  'ticket.opened',
  'ticket',
  z.object({
    ticketId: z.uuid(),
    /** The number people say to each other. */
    number: z.int().positive(),
    contactId: z.uuid(),
    messageId: z.uuid(),
    channel: channelName,
    accountRef: z.string(),
    brand: z.string().optional(),
    conversationKey: z.string(),
    customerId: z.uuid(),
    /** Where an answer reaches the customer on the channel of the contact. */
    replyTo: party,
    subject: pii(z.string()),
    /** The first 500 characters, for routing rules and lists. */
    preview: pii(z.string()),
    language: z.string().optional(),
    status: ticketStatus,
    priority: ticketPriority,
    labels: z.array(z.string()),
    /** The support tier the ticket starts at. */
    tier: z.int().positive(),
    /** The closed ticket that this one continues, when the customer wrote again too late to reopen it. */
    followUpOf: z.uuid().optional(),
    /** The ticket that this one was split from. */
    splitFrom: z.uuid().optional(),
    /** Who opened it; the customer when it does not say. Nobody waits for an answer on a ticket that an agent opened, until the customer writes. */
    openedBy: actor.optional(),
    /** No automatic answer may be sent: the contact was automatic itself, or bulk. */
    silent: z.boolean(),
    /** When the customer made contact. */
    occurredAt: z.iso.datetime(),
    openedAt: z.iso.datetime(),
  }),
);
export type TicketOpened = EventOf<typeof TicketOpened>;

/** A message was added to a ticket: the customer wrote again, or an agent answered (public) or noted (not public). */
export const TicketReplied = defineEvent(
  'ticket.replied',
  'ticket',
  z.object({
    ticketId: z.uuid(),
    messageId: z.uuid(),
    contactId: z.uuid().optional(),
    by: actor,
    public: z.boolean(),
    channel: channelName,
    preview: pii(z.string()),
    /** The contact was an automatic answer or a bounce: it reopens nothing and stops no clock. */
    automatic: z.boolean(),
    occurredAt: z.iso.datetime(),
  }),
);
export type TicketReplied = EventOf<typeof TicketReplied>;

const change = <S extends z.ZodType>(of: S) => z.object({ from: of, to: of }).optional();

/** Fields of a ticket changed. `status` to `solved` resolves it; from `solved` to `open` reopens it. */
export const TicketChanged = defineEvent(
  'ticket.changed',
  'ticket',
  z.object({
    ticketId: z.uuid(),
    status: change(ticketStatus),
    priority: change(ticketPriority),
    labels: change(z.array(z.string())),
    by: actor,
    occurredAt: z.iso.datetime(),
  }),
);
export type TicketChanged = EventOf<typeof TicketChanged>;

/** A ticket was merged into another: it is closed, its messages and conversations belong to `intoTicketId`. Appended under both keys. */
export const TicketMerged = defineEvent(
  'ticket.merged',
  'ticket',
  z.object({ ticketId: z.uuid(), intoTicketId: z.uuid(), by: actor, occurredAt: z.iso.datetime() }),
);
export type TicketMerged = EventOf<typeof TicketMerged>;

/**
 * A ticket has been solved for as long as the configuration says; a timer says so, the ticket decides. Key: the ticket.
 * On the topic of clocks, where timers speak: a group that waits for it need not read every ticket event.
 */
export const TicketCloseDue = defineEvent(
  'ticket.close_due',
  'clock',
  z.object({ ticketId: z.uuid(), /** Fences timers armed before the ticket was solved again. */ solvedAt: z.iso.datetime() }),
);
export type TicketCloseDue = EventOf<typeof TicketCloseDue>;
