import type { Contact, MessageRequested } from '@tierline/events';

/** An HTTP request as the provider sent it: signatures cover the exact bytes. */
export interface RawRequest {
  readonly method: string;
  /** The address that the provider was given, with its query: what a signature covers, whatever a proxy has made of it. */
  readonly url: string;
  /** Header names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly query: URLSearchParams;
  readonly body: Buffer;
}

export interface RawResponse {
  readonly status: number;
  readonly mediaType: string;
  readonly body: string;
}

/** What happened at a provider, as it came: kept before anything tries to understand it. */
export interface RawItem {
  /** Our mailbox, number, page. */
  readonly accountRef: string;
  /** Unique within the account; the same item delivered twice has the same key. Made from the provider's semantic ids, never from a delivery id. */
  readonly dedupeKey: string;
  readonly mediaType: string;
  readonly body: Buffer;
  /** What the provider or the transport says beside the body: envelope, headers, verdict of the signature. */
  readonly meta: Readonly<Record<string, unknown>>;
  readonly receivedAt: Date;
}

/** What `normalize` may use beside the item. */
export interface NormalizeContext {
  /** The id that the contact must have. */
  readonly contactId: string;
  /** Where the raw item is kept: goes into `contact.raw`. */
  readonly raw: Contact['raw'];
  readonly receivedAt: Date;
  /** Keeps an attachment's bytes and says where they are. Content-addressed: keeping the same bytes twice is one blob. */
  saveBlob(bytes: Buffer, mediaType: string): Promise<{ ref: string; sha256: string; bytes: number }>;
  /** For tokens that we signed ourselves. */
  readonly secret: string;
}

/** What came of handing a message to a provider. */
export type SendResult =
  | { outcome: 'sent'; externalId: string }
  /** Not taken, and trying again may help; `retryAfterMs` when the provider says when. */
  | { outcome: 'retry'; reason: string; retryAfterMs?: number }
  /** Not taken, and trying again will not help. */
  | { outcome: 'permanent'; reason: string }
  /** It cannot be known whether it was taken: not repeated without a person's word, so that nobody hears a thing twice. */
  | { outcome: 'unknown'; reason: string };

/**
 * A channel, as its provider speaks. An adapter turns foreign payloads into contacts and messages into foreign calls; it never sees the log, the database
 * or Kafka. The runtime around it keeps raw payloads, drops repeats, retries, limits rates and moves cursors.
 */
export interface ChannelAdapter {
  readonly channel: string;
  readonly version: string;
  /** Answers a provider's set-up question (a challenge to echo or to sign). Undefined when the request is not one. */
  handshake?(request: RawRequest): RawResponse | undefined;
  /** Whether the provider's signature covers these bytes. Pure: no network, no clock. */
  verify?(request: RawRequest): { valid: true } | { valid: false; reason: string };
  /** The items of one delivery. One bad item must not spoil its neighbours. */
  split?(request: RawRequest, receivedAt: Date): RawItem[];
  /** What the provider wants to hear when all is stored. */
  acknowledge?(request: RawRequest): RawResponse;
  /**
   * The contact that an item is, or undefined for items that are nobody's contact (an echo of our own message).
   * The same item always gives the same contact. A throw makes a degraded contact, never a loss.
   */
  normalize(item: RawItem, context: NormalizeContext): Promise<Contact | undefined>;
  /** What can be said of an item that `normalize` failed on, by the simplest means: a sender, a subject. Fields that do not fit are left out. */
  glimpse?(item: RawItem): Partial<Contact>;
  /**
   * Hands a message to the provider. `messageId` is the idempotency key: the same on every try. `prepared` is what the channel's consumer wrote beside the
   * message when it queued it, for what only the database knows.
   */
  send?(message: MessageRequested['data'], prepared?: unknown): Promise<SendResult>;
}
