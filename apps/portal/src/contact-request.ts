import { channelName, ticketPriority, type AttachmentRef, type Contact, type Party } from '@tierline/events';
import type { NormalizeContext, RawItem } from '@tierline/channel';
import { z } from 'zod';
import { DEFAULT_ACCOUNT } from './configuration.ts';

const MAX_TEXT_CHARACTERS = 100_000;
const MAX_UPLOADS = 20;

const claims = {
  display: z.string().max(200).optional(),
  /** The client has made sure that the customer is who they say. Customers are recognised by verified senders only. */
  verified: z.boolean().default(false),
};
const sender = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('email'), value: z.email(), ...claims }),
  z.strictObject({ type: z.literal('phone'), value: z.e164(), ...claims }),
  z.strictObject({ type: z.literal('user'), value: z.string().min(1).max(200), ...claims }),
]);

/** The body of `POST /portal/v1/contacts`. */
export const contactRequest = z.strictObject({
  from: sender,
  subject: z.string().max(1_000).optional(),
  text: z.string().min(1).max(MAX_TEXT_CHARACTERS),
  /** One of the accounts of the configuration. */
  account: channelName.default(DEFAULT_ACCOUNT),
  /** The client's own name of a conversation: its contacts go to one ticket while that is open. */
  conversation: z.string().min(1).max(200).optional(),
  priority: ticketPriority.optional(),
  occurredAt: z.iso.datetime().optional(),
  /** From `POST /portal/v1/uploads`. */
  uploadIds: z.array(z.uuid()).max(MAX_UPLOADS).default([]),
  /** Fields of the form, for routing rules and for people to read. */
  fields: z.record(z.string().max(100), z.union([z.string().max(5_000), z.number(), z.boolean()])).default({}),
});
export type ContactRequest = z.infer<typeof contactRequest>;

/** What the portal keeps beside the body of a request. */
export interface RequestMeta {
  /** Whose token it came with. */
  client: string;
  brand: string | undefined;
  attachments: AttachmentRef[];
}

/** The item that a request is: the body as it came, under the client's key. */
export function toItem(request: ContactRequest, body: Buffer, key: string, meta: RequestMeta, receivedAt: Date): RawItem {
  return { accountRef: request.account, dedupeKey: `api:${meta.client}:${key}`, mediaType: 'application/json', body, meta: { ...meta }, receivedAt };
}

/** The contact that an item of `toItem` is. Throws when the body is not a contact request. */
export function toContact(item: RawItem, context: NormalizeContext, adapter: Contact['adapter']): Contact {
  const request = contactRequest.parse(JSON.parse(item.body.toString('utf8')));
  const { client, brand, attachments } = item.meta as unknown as RequestMeta;
  const thread = request.conversation === undefined ? context.contactId : `${client}/${request.conversation}`;
  return {
    id: context.contactId,
    kind: 'message',
    channel: adapter.name,
    accountRef: item.accountRef,
    ...(brand !== undefined && { brand }),
    direction: 'inbound',
    dedupeKey: item.dedupeKey,
    externalId: item.dedupeKey,
    conversationKey: `${adapter.name}:${item.accountRef}:${thread}`,
    threading: { parents: [] },
    from: party(request.from),
    to: [],
    cc: [],
    ...(request.subject !== undefined && { subject: request.subject }),
    text: request.text,
    textStripped: request.text,
    attachments,
    raw: context.raw,
    ...(request.occurredAt === undefined
      ? { occurredAt: context.receivedAt.toISOString(), occurredAtSource: 'receipt' }
      : { occurredAt: request.occurredAt, occurredAtSource: 'provider' }),
    receivedAt: context.receivedAt.toISOString(),
    auth: { verdict: 'verified', method: 'token', details: { client } },
    flags: {},
    ...(request.priority && { priority: request.priority }),
    ...(Object.keys(request.fields).length > 0 && { ext: { form: request.fields } }),
    adapter,
  };
}

function party(from: ContactRequest['from']): Party {
  return {
    type: from.type,
    value: from.value,
    normalized: from.type === 'email' ? from.value.toLowerCase() : from.value,
    ...(from.display !== undefined && { display: from.display }),
    verified: from.verified,
  };
}
