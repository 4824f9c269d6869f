import { z } from 'zod';
import { defineEvent, type EventOf } from './event.ts';

/** Marks a field as personal data: logs, exports and erasure read the mark. */
export const pii = <S extends z.ZodType>(schema: S): S => schema.meta({ pii: true });

/** The channels that ship with Tierline; an adapter may bring another name. */
export const channelName = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/);

/** Somebody who can be reached: `normalized` is what two spellings of the same address share. */
export const party = z
  .object({
    type: z.enum(['email', 'phone', 'handle', 'psid', 'bsuid', 'user', 'anonymous']),
    value: pii(z.string()),
    normalized: pii(z.string()),
    display: pii(z.string()).optional(),
    /** Whether the channel vouches for this identity (DMARC, a signed session, a carrier's number). Customers are merged on verified parties only. */
    verified: z.boolean(),
  })
  .meta({ id: 'Party' });
export type Party = z.infer<typeof party>;

export const attachmentRef = z
  .object({
    id: z.string(),
    filename: pii(z.string()),
    mediaType: z.string(),
    bytes: z.int().nonnegative(),
    sha256: z.string(),
    disposition: z.enum(['attachment', 'inline']),
    contentId: z.string().optional(),
    /** Where the bytes are, in the blob store. */
    ref: z.string(),
  })
  .meta({ id: 'AttachmentRef' });
export type AttachmentRef = z.infer<typeof attachmentRef>;

/** What a channel knows of the conversation that a contact belongs to. */
export const threading = z
  .object({
    /** The ticket named by a token that we signed ourselves (reply address, Message-ID, subject): unforgeable. */
    ticketId: z.string().optional(),
    /** Provider ids that this contact answers, nearest first. */
    parents: z.array(z.string()).max(100).default([]),
  })
  .meta({ id: 'Threading' });

/** One contact from one customer through one channel: the same shape whatever the channel. */
export const contact = z
  .object({
    id: z.uuid(),
    kind: z.enum(['message', 'call', 'status', 'update', 'reaction', 'system']),
    channel: channelName,
    /** Our mailbox, number, page, site: the account of ours that was contacted. */
    accountRef: z.string().min(1),
    /** Brand inside the installation, when the account belongs to one. */
    brand: z.string().optional(),
    direction: z.enum(['inbound', 'outbound']),
    /** Unique within the account: the same contact delivered twice has the same key. */
    dedupeKey: z.string().min(1),
    /** The provider's id, always a string. */
    externalId: z.string(),
    /** Contacts of one conversation share it; it is the key they travel under. */
    conversationKey: z.string().min(1),
    threading: threading.default({ parents: [] }),
    /** The `dedupeKey` of the contact that this one revises (an edit, a later state of a call). */
    revisionOf: z.string().optional(),
    /** Of several revisions of a contact the one with the highest number counts, in whatever order they arrive; the contact itself is 0. */
    revision: z.int().nonnegative().optional(),
    from: party,
    to: z.array(party).default([]),
    cc: z.array(party).default([]),
    /** Where an answer should go, when it is not `from`. Never used for identity. */
    replyTo: party.optional(),
    subject: pii(z.string()).optional(),
    /** The whole body as text. */
    text: pii(z.string()).optional(),
    /** The body without quoted history and signature. */
    textStripped: pii(z.string()).optional(),
    /** Sanitised HTML. */
    html: pii(z.string()).optional(),
    language: z.object({ code: z.string(), confidence: z.number(), reliable: z.boolean() }).optional(),
    attachments: z.array(attachmentRef).default([]),
    raw: z.object({ ref: z.string(), sha256: z.string(), mediaType: z.string(), bytes: z.int().nonnegative() }),
    /** When it happened, as far as the source can be believed. */
    occurredAt: z.iso.datetime(),
    occurredAtSource: z.enum(['provider', 'header', 'receipt']),
    /** When we had it durably. */
    receivedAt: z.iso.datetime(),
    auth: z.object({
      verdict: z.enum(['verified', 'failed', 'unknown']),
      method: z.enum(['dmarc', 'signature', 'jwt', 'stir', 'session', 'token']).optional(),
      details: z.record(z.string(), z.unknown()).optional(),
    }),
    flags: z
      .object({
        autoReply: z.boolean().optional(),
        bulk: z.boolean().optional(),
        bounce: z.boolean().optional(),
        spam: z.boolean().optional(),
        echo: z.boolean().optional(),
        /** The payload could not be understood; what could be read is here, the whole is in `raw`. */
        unparsable: z.boolean().optional(),
        truncated: z.boolean().optional(),
        encrypted: z.boolean().optional(),
        optOut: z.boolean().optional(),
        multipleFrom: z.boolean().optional(),
      })
      .default({}),
    call: z
      .object({ state: z.string(), durationSec: z.number().optional(), recordingRef: z.string().optional(), transcriptRef: z.string().optional() })
      .optional(),
    /** What may be asked of the routing by the sender's form or API call. */
    priority: z.enum(['urgent', 'high', 'normal', 'low']).optional(),
    /** Namespaced provider data and form fields; never required downstream. */
    ext: z.record(z.string(), z.unknown()).optional(),
    adapter: z.object({ name: z.string(), version: z.string() }),
  })
  .meta({ id: 'Contact' });
export type Contact = z.infer<typeof contact>;

/** A contact is stored for good and normalized. Key: its conversation. */
export const ContactReceived = defineEvent('contact.received', 'contact', contact);
export type ContactReceived = EventOf<typeof ContactReceived>;
