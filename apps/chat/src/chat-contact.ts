import type { NormalizeContext, RawItem } from '@tierline/channel';
import type { Contact } from '@tierline/events';
import { readFrame, type MessageFrame } from './frames.ts';
import type { Session } from './session-token.ts';

/** What is kept beside a visitor's frame. */
export interface FrameMeta {
  conversation: string;
  cid: string;
  brand: string | undefined;
}

/** The item that a visitor's message is: sent again after a lost acknowledgement, it is the same one. */
export function toItem(frame: MessageFrame, { site, conversation }: Session, brand: string | undefined, receivedAt: Date): RawItem {
  const meta: FrameMeta = { conversation, cid: frame.cid, brand };
  return {
    accountRef: site,
    dedupeKey: `chat:${conversation}:${frame.cid}`,
    mediaType: 'application/json',
    body: Buffer.from(JSON.stringify({ cid: frame.cid, text: frame.text })),
    meta: { ...meta },
    receivedAt,
  };
}

/** The contact that an item of `toItem` is. Throws when its body is not a visitor's message. */
export function toContact(item: RawItem, context: NormalizeContext, adapter: Contact['adapter']): Contact {
  const frame = readFrame(item.body, false);
  if (!frame || !('cid' in frame)) throw new Error('not a message frame');
  const { conversation, brand } = item.meta as unknown as FrameMeta;
  const receivedAt = context.receivedAt.toISOString();
  return {
    id: context.contactId,
    kind: 'message',
    channel: adapter.name,
    accountRef: item.accountRef,
    ...(brand !== undefined && { brand }),
    direction: 'inbound',
    dedupeKey: item.dedupeKey,
    externalId: frame.cid,
    conversationKey: conversationKey(item.accountRef, conversation),
    threading: { parents: [] },
    // The session is signed: it is the same visitor each time, whoever that is.
    from: { type: 'anonymous', value: conversation, normalized: conversation, verified: true },
    to: [],
    cc: [],
    text: frame.text,
    textStripped: frame.text,
    attachments: [],
    raw: context.raw,
    occurredAt: receivedAt,
    occurredAtSource: 'receipt',
    receivedAt,
    auth: { verdict: 'verified', method: 'session' },
    flags: {},
    adapter,
  };
}

export function conversationKey(site: string, conversation: string): string {
  return `chat:${site}:${conversation}`;
}

/** The site and conversation that a key of `conversationKey` names; undefined for any other. */
export function conversationOf(key: string): { site: string; conversation: string } | undefined {
  const [, site, conversation] = /^chat:(.+):([0-9a-f-]{36})$/.exec(key) ?? [];
  return site === undefined || conversation === undefined ? undefined : { site, conversation };
}
