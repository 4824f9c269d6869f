import type { NormalizeContext, RawItem } from '@tierline/channel';
import { attachmentRef, type Contact } from '@tierline/events';
import { z } from 'zod';
import type { Visitor } from './visitor.ts';

/** What a visitor said, with the files found that it names. */
const said = z.object({ cid: z.string(), text: z.string(), attachments: z.array(attachmentRef) });
export type Said = z.infer<typeof said>;

/** What is kept beside the words. */
export interface SaidMeta extends Pick<Visitor, 'session' | 'conversation' | 'name' | 'email'> {
  cid: string;
}

/** The item that a visitor's message is: sent again after a lost acknowledgement, by whatever way, it is the same one. */
export function toItem({ site, session, conversation, name, email }: Visitor, { cid, text, attachments }: Said, receivedAt: Date): RawItem {
  const meta: SaidMeta = { session, conversation, cid, ...(name !== undefined && { name }), ...(email !== undefined && { email }) };
  return {
    accountRef: site,
    dedupeKey: `chat:${session}:${cid}`,
    mediaType: 'application/json',
    body: Buffer.from(JSON.stringify({ cid, text, attachments })),
    meta: { ...meta },
    receivedAt,
  };
}

/** The contact that an item of `toItem` is. Throws when its body is not a visitor's message. */
export function toContact(item: RawItem, context: NormalizeContext, adapter: Contact['adapter']): Contact {
  const { cid, text, attachments } = said.parse(JSON.parse(item.body.toString('utf8')));
  const { session, email } = item.meta as unknown as SaidMeta;
  const receivedAt = context.receivedAt.toISOString();
  return {
    id: context.contactId,
    kind: 'message',
    channel: adapter.name,
    accountRef: item.accountRef,
    direction: 'inbound',
    dedupeKey: item.dedupeKey,
    externalId: `${session}:${cid}`,
    ...whose(item),
    threading: { parents: [] },
    to: [],
    cc: [],
    text,
    attachments,
    raw: context.raw,
    occurredAt: receivedAt,
    occurredAtSource: 'receipt',
    receivedAt,
    auth: { verdict: 'verified', method: 'session' },
    flags: {},
    ...(email !== undefined && { ext: { chat: { claimedEmail: email } } }),
    adapter,
  };
}

/** Whose item it is, and of which conversation: known without its body. */
export function whose(item: RawItem): Pick<Contact, 'from' | 'conversationKey'> {
  const { session, conversation, name } = item.meta as unknown as SaidMeta;
  return {
    // Signed, so that it is the same visitor each time. The name is only what they say.
    from: { type: 'anonymous', value: session, normalized: session, ...(name !== undefined && { display: name }), verified: true },
    conversationKey: `chat:${item.accountRef}:${conversation}`,
  };
}

/** The conversation of such a key; undefined for any other. */
export function conversationOf(conversationKey: string): string | undefined {
  return /^chat:[^:]+:([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})$/.exec(conversationKey)?.[1];
}
