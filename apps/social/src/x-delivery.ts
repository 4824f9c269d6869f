import { createHash } from 'node:crypto';
import type { RawItem } from '@tierline/channel';

/** Somebody on X, as both shapes of deliveries name people. */
export interface XUser {
  readonly handle: string | undefined;
  readonly name: string | undefined;
}

/** One event of a delivery. */
export interface XEvent {
  /** The event type of the X Activity API, or the list of the Account Activity API that it stood in. */
  readonly type: string;
  /** The account of ours that it is about. */
  readonly account: string | undefined;
  readonly payload: Json;
  readonly users: (id: string) => XUser;
}

export type Json = Readonly<Record<string, unknown>>;

/**
 * The events of a delivery, in its order. X has two shapes: one event in the envelope of the X Activity API (https://docs.x.com/x-api/activity/event-payloads),
 * and lists by kind of the older Account Activity API (https://docs.x.com/x-api/account-activity/introduction). Throws SyntaxError on bad JSON.
 */
export function readDelivery(body: Buffer): XEvent[] {
  const delivery = json(JSON.parse(body.toString('utf8')));
  const data = json(delivery['data']);
  const type = string(data['event_type']);
  if (type !== undefined) {
    const payload = json(data['payload']);
    const event = { type, account: string(json(data['filter'])['user_id']) };
    const included = [json(data['includes'])['users']].flat().map(json);
    const users = (id: string): XUser => user(json(payload['users'])[id] ?? included.find((one) => one['id'] === id));
    const messages = payload['direct_message_events'];
    return Array.isArray(messages) ? messages.map((message) => ({ ...event, payload: json(message), users })) : [{ ...event, payload, users }];
  }
  const account = string(delivery['for_user_id']);
  const users = (id: string): XUser => user(json(delivery['users'])[id]);
  return Object.entries(delivery).flatMap(([list, events]) =>
    Array.isArray(events) ? events.map((event: unknown) => ({ type: list, account, payload: json(event), users })) : [],
  );
}

/**
 * The items of a delivery: each keeps the whole of it and knows its place in it. What cannot be read, or holds no event that has a place, is one item.
 * Keys are made of the ids of posts and messages: X gives every delivery of the same thing a new id.
 */
export function xItems(body: Buffer, receivedAt: Date): RawItem[] {
  const whole = {
    accountRef: 'x',
    dedupeKey: `x:delivery:${createHash('sha256').update(body).digest('hex')}`,
    mediaType: 'application/json',
    body,
    receivedAt,
  };
  try {
    const events = readDelivery(body);
    if (events.length > 0) {
      return events.map((event, index) => ({
        ...whole,
        accountRef: event.account ?? whole.accountRef,
        dedupeKey: keyOf(event) ?? `${whole.dedupeKey}:${index}`,
        meta: { index },
      }));
    }
  } catch {
    // Not JSON: the item says so when it is normalized.
  }
  return body.length === 0 ? [] : [{ ...whole, meta: {} }];
}

const POST_LISTS = new Set(['tweet_create_events', 'post.mention.create', 'post.reply.create', 'post.quote.create']);
const MESSAGE_LISTS = new Set(['direct_message_events', 'dm.received']);

/** What an event tells of. */
export function subjectOf(type: string): 'post' | 'message' | 'chat' | 'other' {
  return POST_LISTS.has(type) ? 'post' : MESSAGE_LISTS.has(type) ? 'message' : type === 'chat.received' ? 'chat' : 'other';
}

function keyOf({ type, payload }: XEvent): string | undefined {
  const id = string(payload['id_str']) ?? string(payload['id']);
  if (id === undefined) return undefined;
  switch (subjectOf(type)) {
    case 'post':
      return `x:post:${id}`;
    case 'message':
      return `x:dm:${id}`;
    case 'chat':
      return `x:chat:${id}`;
    case 'other':
      return `x:${type}:${id}`;
  }
}

/** The Account Activity API calls a handle screen_name; the X Activity API wraps people in `data`. */
function user(value: unknown): XUser {
  const outer = json(value);
  const one = outer['data'] === undefined ? outer : json(outer['data']);
  return { handle: string(one['username']) ?? string(one['screen_name']), name: string(one['name']) };
}

function json(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

function string(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
