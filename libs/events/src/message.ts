import { z } from 'zod';
import { attachmentRef, channelName, party, pii } from './contact.ts';
import { defineEvent, type EventOf } from './event.ts';

/** Somebody wants the customer (or one of our own people) told something; the named channel sends it. Key: the conversation. */
export const MessageRequested = defineEvent(
  'message.requested',
  'message',
  z.object({
    messageId: z.uuid(),
    ticketId: z.uuid(),
    channel: channelName,
    accountRef: z.string(),
    conversationKey: z.string(),
    kind: z.enum(['reply', 'acknowledgement', 'notice']),
    /** Written by nobody: carries the headers that keep machines from answering it. */
    automatic: z.boolean(),
    to: party,
    subject: pii(z.string()).optional(),
    text: pii(z.string()),
    html: pii(z.string()).optional(),
    attachments: z.array(attachmentRef).default([]),
  }),
);
export type MessageRequested = EventOf<typeof MessageRequested>;

/** The provider has taken the message. */
export const MessageSent = defineEvent(
  'message.sent',
  'message',
  z.object({ messageId: z.uuid(), ticketId: z.uuid(), channel: channelName, accountRef: z.string(), externalId: z.string(), sentAt: z.iso.datetime() }),
);
export type MessageSent = EventOf<typeof MessageSent>;

/** The message was not sent (`permanent`), or it cannot be known whether it was (`unknown`). */
export const MessageFailed = defineEvent(
  'message.failed',
  'message',
  z.object({
    messageId: z.uuid(),
    ticketId: z.uuid(),
    channel: channelName,
    accountRef: z.string(),
    outcome: z.enum(['permanent', 'unknown']),
    reason: z.string(),
    failedAt: z.iso.datetime(),
  }),
);
export type MessageFailed = EventOf<typeof MessageFailed>;
