import { createHmac, randomInt, randomUUID } from 'node:crypto';
import { accepted, deliver, providerApi, type Delivered, type ProviderAnswer, type ProviderApi, type ProviderRequest } from './provider-double.ts';

/** X waits this long for a webhook. */
const TIMEOUT_MS = 10_000;
/** After as many failures without a success between them the webhook is invalid; X itself gives it 28 hours. */
const MAX_FAILURES = 5;
/** https://docs.x.com/x-api/fundamentals/rate-limits: per user and 15 minutes. */
const POSTS_PER_WINDOW = 100;
const MESSAGES_PER_WINDOW = 15;
const WINDOW_MS = 15 * 60_000;
/** 41 bits of milliseconds since then, 22 bits of machine and sequence: far beyond 2^53. */
const SNOWFLAKE_EPOCH_MS = 1288834974657n;

export interface XDoubleOptions {
  /** Where the service under test answers. */
  readonly url: string;
  readonly consumerSecret: string;
  /** Our account: its user id. */
  readonly account: string;
  /** How often the account may post, and write direct messages, in a window of `windowMs`. */
  readonly limits?: { readonly posts: number; readonly messages: number; readonly windowMs: number };
}

export interface XUser {
  readonly id: string;
  readonly handle: string;
}

/** What became of a webhook; nothing is delivered once the webhook is invalid. */
export interface XDelivery extends Delivered {
  /** Of the post or message. */
  readonly id: string;
  readonly accepted: boolean;
  /** Delivers the same thing again: under a new event id, as X does. */
  again(): Promise<XDelivery>;
}

export interface SentOnX {
  readonly id: string;
  readonly kind: 'post' | 'message';
  /** The post that is answered, or the user or conversation that is written to. */
  readonly to: string | undefined;
  readonly text: string;
}

export interface XDouble extends ProviderApi {
  /** What was taken, in order. */
  readonly sent: readonly SentOnX[];
  /** Whether X still delivers. It stops without a word. */
  readonly valid: boolean;
  /** Asks the webhook to prove that it knows the secret. A wrong answer makes it invalid, a right one valid again. */
  challenge(): Promise<boolean>;
  /** Somebody mentions us, or answers a post of ours. With `editOf`, the ids of its earlier versions, the post is an edited one. */
  post(post: { from: XUser; text: string; id?: string; inReplyTo?: string; conversationId?: string; editOf?: readonly string[] }): Promise<XDelivery>;
  /** Somebody writes us a direct message. */
  message(message: { from: XUser; text: string; id?: string }): Promise<XDelivery>;
  /** Any other event, in the envelope of the X Activity API. */
  activity(eventType: string, payload: Readonly<Record<string, unknown>> & { readonly id?: string }): Promise<XDelivery>;
  /** Any body, signed. */
  raw(body: string): Promise<XDelivery>;
}

/** A local X: challenges, signs, repeats and stops delivering as the real one does, and limits and refuses what it is sent. */
export async function xDouble({ url, consumerSecret, account, limits }: XDoubleOptions): Promise<XDouble> {
  const webhook = `${url}/social/v1/x/webhook`;
  const sent: SentOnX[] = [];
  const { posts, messages, windowMs } = limits ?? { posts: POSTS_PER_WINDOW, messages: MESSAGES_PER_WINDOW, windowMs: WINDOW_MS };
  const allowance = { post: allowing(posts, windowMs), message: allowing(messages, windowMs) };
  let valid = true;
  let failures = 0;

  const api = await providerApi((request) => {
    const wanted = readSending(request);
    if ('status' in wanted) return wanted;
    const limit = allowance[wanted.kind]();
    if (limit.exceeded) return { ...problem(429, 'Too Many Requests', 'Too Many Requests'), headers: limit.headers };
    if (wanted.kind === 'post' && sent.some(({ kind, text }) => kind === 'post' && text === wanted.text)) {
      return { ...problem(403, 'Forbidden', 'You are not allowed to create a Tweet with duplicate content.'), headers: limit.headers };
    }
    const id = newSnowflake();
    sent.push({ id, ...wanted });
    const data =
      wanted.kind === 'post' ? { id, text: wanted.text, edit_history_tweet_ids: [id] } : { dm_event_id: id, dm_conversation_id: `${account}-${wanted.to}` };
    return { status: 201, headers: limit.headers, body: { data } };
  });

  async function deliverSigned(id: string, bodyOf: () => string): Promise<XDelivery> {
    const body = bodyOf();
    const headers = {
      'content-type': 'application/json',
      'x-twitter-webhooks-signature': `sha256=${createHmac('sha256', consumerSecret).update(body).digest('base64')}`,
    };
    const answer = valid ? await deliver(webhook, headers, body, TIMEOUT_MS) : { status: undefined, body: '', connected: false };
    failures = accepted(answer) ? 0 : failures + 1;
    if (failures >= MAX_FAILURES) valid = false;
    return { ...answer, id, accepted: accepted(answer), again: () => deliverSigned(id, bodyOf) };
  }

  const deliverActivity = (id: string, eventType: string, payload: object, includes?: object): Promise<XDelivery> =>
    deliverSigned(id, () =>
      inAscii(
        JSON.stringify({ data: { event_uuid: newSnowflake(), filter: { user_id: account }, event_type: eventType, tag: 'tierline', payload, includes } }),
      ),
    );

  return {
    ...api,
    sent,
    get valid() {
      return valid;
    },
    async challenge() {
      const token = randomUUID();
      const response = await fetch(`${webhook}?crc_token=${token}`, { redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS) });
      const { response_token: answer } = (await response.json().catch(() => ({}))) as { response_token?: string };
      valid = response.status === 200 && answer === `sha256=${createHmac('sha256', consumerSecret).update(token).digest('base64')}`;
      if (valid) failures = 0;
      return valid;
    },
    async post({ from, text, id = newSnowflake(), inReplyTo, conversationId, editOf = [] }) {
      const payload = {
        id,
        text,
        author_id: from.id,
        conversation_id: conversationId ?? inReplyTo ?? editOf[0] ?? id,
        created_at: new Date().toISOString(),
        edit_history_tweet_ids: [...editOf, id],
        ...(inReplyTo && { in_reply_to_user_id: account, referenced_tweets: [{ type: 'replied_to', id: inReplyTo }] }),
      };
      return deliverActivity(id, inReplyTo ? 'post.reply.create' : 'post.mention.create', payload, { users: [userObject(from)] });
    },
    async message({ from, text, id = newSnowflake() }) {
      const event = {
        type: 'message_create',
        id,
        created_timestamp: String(Date.now()),
        message_create: { target: { recipient_id: account }, sender_id: from.id, message_data: { text } },
      };
      return deliverActivity(id, 'dm.received', { direct_message_events: [event], users: { [from.id]: { data: userObject(from) } } });
    },
    activity: (eventType, payload) => deliverActivity(payload.id ?? newSnowflake(), eventType, payload),
    raw: (body) => deliverSigned('', () => body),
  };
}

/** `POST /2/tweets`, `POST /2/dm_conversations/with/{user}/messages`, `POST /2/dm_conversations/{id}/messages`, in the name of a user. */
function readSending({ method, path, headers, body }: ProviderRequest): Omit<SentOnX, 'id'> | ProviderAnswer {
  if (!/^OAuth .*oauth_token="/.test(headers.authorization ?? '')) return problem(401, 'Unauthorized', 'Unauthorized');
  const conversation = /^\/2\/dm_conversations\/(?:with\/)?([^/]+)\/messages$/.exec(path)?.[1];
  if (method !== 'POST' || (path !== '/2/tweets' && conversation === undefined)) return problem(404, 'Not Found', `${method} ${path}`);
  const { text, reply } = JSON.parse(body) as { text?: string; reply?: { in_reply_to_tweet_id?: string } };
  if (!text) return problem(400, 'Invalid Request', 'One or more parameters to your request was invalid.');
  return conversation === undefined ? { kind: 'post', to: reply?.in_reply_to_tweet_id, text } : { kind: 'message', to: conversation, text };
}

/** Counts requests in windows, and says what is left as X does. */
function allowing(requests: number, windowMs: number): () => { exceeded: boolean; headers: Record<string, string> } {
  let endsAt = 0;
  let left = 0;
  return () => {
    if (Date.now() >= endsAt) {
      endsAt = Date.now() + windowMs;
      left = requests;
    }
    left -= 1;
    const headers = {
      'x-rate-limit-limit': String(requests),
      'x-rate-limit-remaining': String(Math.max(left, 0)),
      // In whole seconds, as X has it.
      'x-rate-limit-reset': String(Math.ceil(endsAt / 1000)),
    };
    return { exceeded: left < 0, headers };
  };
}

function problem(status: number, title: string, detail: string): ProviderAnswer {
  return { status, body: { type: 'about:blank', title, status, detail } };
}

function userObject({ id, handle }: XUser): object {
  return { id, username: handle, name: handle, protected: false, verified: false };
}

/** The same JSON in ASCII: whoever parses it and writes it again gets other bytes than were signed. */
function inAscii(json: string): string {
  return json.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function newSnowflake(): string {
  return String(((BigInt(Date.now()) - SNOWFLAKE_EPOCH_MS) << 22n) | BigInt(randomInt(2 ** 22)));
}
