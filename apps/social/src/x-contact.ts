import type { NormalizeContext, RawItem } from '@tierline/channel';
import type { Contact, Party } from '@tierline/events';
import { z } from 'zod';
import { readDelivery, subjectOf, type XEvent, type XUser } from './x-delivery.ts';

/** Name and version of the adapter, as contacts carry them. */
export const X_ADAPTER = { name: 'x', version: '1' };

/** What we do ourselves, and what people do without wanting anything of us by it. */
const NOT_FOR_US = new Set([
  ...['post.create', 'post.delete', 'dm.sent', 'chat.sent', 'dm.read', 'dm.indicate_typing', 'like.create', 'follow.follow', 'follow.unfollow'],
  ...[
    'tweet_delete_events',
    'favorite_events',
    'follow_events',
    'block_events',
    'mute_events',
    'direct_message_indicate_typing_events',
    'direct_message_mark_read_events',
  ],
]);

/** Ids are beyond 2^53: strings, and nothing else, hold them. */
const id = z.string().min(1);

const post = z.object({
  id,
  text: z.string(),
  author_id: id,
  conversation_id: id,
  created_at: z.iso.datetime(),
  edit_history_tweet_ids: z.array(id).default([]),
  referenced_tweets: z.array(z.object({ type: z.string(), id })).default([]),
});

/** A post as the Account Activity API has it: the numeric `id` beside `id_str` has lost digits. */
const olderPost = z.object({
  id_str: id,
  text: z.string(),
  extended_tweet: z.object({ full_text: z.string() }).optional(),
  user: z.object({ id_str: id, screen_name: z.string(), name: z.string() }),
  created_at: z.string(),
  in_reply_to_status_id_str: id.nullish(),
  retweeted_status: z.unknown().optional(),
});

const directMessage = z.object({
  id,
  created_timestamp: z.string().regex(/^\d+$/),
  message_create: z.object({ sender_id: id, message_data: z.object({ text: z.string() }) }),
});

const encryptedMessage = z.object({ id, sender_id: id, conversation_id: id, created_at_msec: z.string().regex(/^\d+$/) });

/** The contact that an event is; undefined for our own posts and messages, and for what wants no answer. Throws on what X would not send. */
export function xContact(item: RawItem, context: NormalizeContext): Contact | undefined {
  const event = readDelivery(item.body)[Number(item.meta['index'])];
  // A delivery without events tells of the webhook itself: a replay that is done, access that was withdrawn.
  if (!event) return system(item, context);
  switch (subjectOf(event.type)) {
    case 'post':
      return event.type === 'tweet_create_events' ? fromOlderPost(event, item, context) : fromPost(event, item, context);
    case 'message':
      return fromMessage(event, item, context);
    case 'chat':
      return fromEncrypted(event, item, context);
    case 'other':
      return NOT_FOR_US.has(event.type) ? undefined : system(item, context);
  }
}

/** Who wrote what, of an event that X has given another shape since this was written. */
export function xGlimpse(item: RawItem): Partial<Contact> {
  const { payload, users } = readDelivery(item.body)[Number(item.meta['index'])]!;
  const { text, author_id: author } = z.object({ text: z.string().optional(), author_id: id.optional() }).parse(payload);
  return { text, ...(author !== undefined && { from: party(author, users(author)) }) };
}

function fromPost(event: XEvent, item: RawItem, context: NormalizeContext): Contact | undefined {
  const { edit_history_tweet_ids: versions, ...told } = post.parse(event.payload);
  if (told.author_id === item.accountRef) return undefined;
  const revision = versions.indexOf(told.id);
  return {
    ...envelope(item, context, told.id, new Date(told.created_at)),
    ...publicly(item, told.id, told.conversation_id, told.author_id, event.users(told.author_id)),
    // The first version may not have been for us: an edit is a message of its own where nothing is known that it revises.
    ...(revision > 0 && { revisionOf: `x:post:${versions[0]}`, revision }),
    threading: { parents: told.referenced_tweets.filter(({ type }) => type === 'replied_to').map((parent) => parent.id) },
    text: unescaped(told.text),
  };
}

function fromOlderPost(event: XEvent, item: RawItem, context: NormalizeContext): Contact | undefined {
  const told = olderPost.parse(event.payload);
  // Whoever repeats a post of ours says nothing to us.
  if (told.user.id_str === item.accountRef || told.retweeted_status) return undefined;
  const parent = told.in_reply_to_status_id_str ?? undefined;
  const author = { handle: told.user.screen_name, name: told.user.name };
  return {
    ...envelope(item, context, told.id_str, new Date(told.created_at)),
    ...publicly(item, told.id_str, parent ?? told.id_str, told.user.id_str, author),
    threading: { parents: parent === undefined ? [] : [parent] },
    text: unescaped(told.extended_tweet?.full_text ?? told.text),
  };
}

function fromMessage(event: XEvent, item: RawItem, context: NormalizeContext): Contact | undefined {
  const { message_create: message, ...told } = directMessage.parse(event.payload);
  if (message.sender_id === item.accountRef) return undefined;
  return {
    ...envelope(item, context, told.id, new Date(Number(told.created_timestamp))),
    conversationKey: `x:${item.accountRef}:dm:${message.sender_id}`,
    from: party(message.sender_id, event.users(message.sender_id)),
    text: message.message_data.text,
  };
}

/** Only X's own clients can decrypt it. */
function fromEncrypted(event: XEvent, item: RawItem, context: NormalizeContext): Contact | undefined {
  const told = encryptedMessage.parse(event.payload);
  if (told.sender_id === item.accountRef) return undefined;
  return {
    ...envelope(item, context, told.id, new Date(Number(told.created_at_msec))),
    conversationKey: `x:${item.accountRef}:chat:${told.conversation_id}`,
    from: party(told.sender_id, event.users(told.sender_id)),
    subject: 'Encrypted message',
    text: 'This message is encrypted. It can be read and answered in X only.',
    flags: { encrypted: true },
  };
}

function system(item: RawItem, context: NormalizeContext): Contact {
  return {
    ...envelope(item, context, item.dedupeKey, context.receivedAt),
    kind: 'system',
    occurredAtSource: 'receipt',
    conversationKey: item.dedupeKey,
    from: { type: 'anonymous', value: '', normalized: '', verified: false },
    auth: { verdict: 'unknown' },
  };
}

/** A post is said to everybody; it is answered by a post below it. */
function publicly(item: RawItem, postId: string, conversationId: string, authorId: string, author: XUser) {
  const from = party(authorId, author);
  const replyTo: Party = { ...from, value: `post:${postId}`, normalized: `post:${postId}`, display: from.value };
  return { conversationKey: `x:${item.accountRef}:post:${conversationId}`, from, replyTo };
}

/** People are known by their id: names on X change hands. */
function party(userId: string, { handle, name }: XUser): Party {
  return {
    type: 'handle',
    value: handle === undefined ? userId : `@${handle}`,
    normalized: userId,
    ...(name !== undefined && { display: name }),
    verified: true,
  };
}

/** Posts come with these three characters escaped, as in HTML. */
function unescaped(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

function envelope(item: RawItem, context: NormalizeContext, externalId: string, occurredAt: Date) {
  return {
    id: context.contactId,
    kind: 'message',
    channel: X_ADAPTER.name,
    accountRef: item.accountRef,
    direction: 'inbound',
    dedupeKey: item.dedupeKey,
    externalId,
    threading: { parents: [] },
    to: [{ type: 'handle', value: item.accountRef, normalized: item.accountRef, verified: true }],
    cc: [],
    attachments: [],
    raw: context.raw,
    occurredAt: occurredAt.toISOString(),
    occurredAtSource: 'provider',
    receivedAt: context.receivedAt.toISOString(),
    auth: { verdict: 'verified', method: 'signature' },
    flags: {},
    adapter: X_ADAPTER,
  } satisfies Partial<Contact>;
}
