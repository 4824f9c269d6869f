import type { ChannelAdapter, NormalizeContext, RawItem, RawRequest, RawResponse, SendResult } from '@tierline/channel';
import type { Contact, MessageRequested } from '@tierline/events';
import type { XAccount } from './configuration.ts';
import { replyTarget } from './reply-target.ts';
import { X_ADAPTER, xContact, xGlimpse } from './x-contact.ts';
import { xItems } from './x-delivery.ts';
import { isSigned, xSignature } from './x-signature.ts';

/** X answers in a second or two; a message that it has not answered by then is not sent again. */
const API_TIMEOUT_MS = 20_000;

/** Mentions, answers and direct messages on X. */
export class XAdapter implements ChannelAdapter {
  readonly channel = X_ADAPTER.name;
  readonly version = X_ADAPTER.version;

  constructor(
    /** By the account's id. */
    private readonly accounts: () => ReadonlyMap<string, XAccount>,
    private readonly apiTimeoutMs = API_TIMEOUT_MS,
  ) {}

  /** X asks now and then whether we know the secret, and stops delivering when we do not. */
  handshake(request: RawRequest): RawResponse | undefined {
    const token = request.query.get('crc_token');
    const [secret] = this.secrets();
    if (request.method !== 'GET' || token === null || secret === undefined) return undefined;
    return { status: 200, mediaType: 'application/json', body: JSON.stringify({ response_token: xSignature(secret, token) }) };
  }

  verify(request: RawRequest): { valid: true } | { valid: false; reason: string } {
    return isSigned(request.body, request.headers['x-twitter-webhooks-signature'], this.secrets())
      ? { valid: true }
      : { valid: false, reason: 'it was not made with the consumer secret' };
  }

  split(request: RawRequest, receivedAt: Date): RawItem[] {
    return xItems(request.body, receivedAt);
  }

  acknowledge(): RawResponse {
    // X wants 200, not 204.
    return { status: 200, mediaType: 'text/plain', body: '' };
  }

  async normalize(item: RawItem, context: NormalizeContext): Promise<Contact | undefined> {
    return xContact(item, context);
  }

  glimpse(item: RawItem): Partial<Contact> {
    return xGlimpse(item);
  }

  async send(message: MessageRequested['data']): Promise<SendResult> {
    const account = this.accounts().get(message.accountRef);
    if (!account) return { outcome: 'permanent', reason: `${message.accountRef} is not one of our accounts` };
    const target = replyTarget(message);
    if (target.kind === 'nowhere') return { outcome: 'permanent', reason: 'this conversation can be continued in X only' };
    if (message.attachments.length > 0) return { outcome: 'permanent', reason: 'an answer on X carries no attachments' };
    // The library is large, and many installations never write on X.
    const { sendOnX } = await import('./x-api.adapter.ts');
    return sendOnX(account, target, message.text, this.apiTimeoutMs);
  }

  private secrets(): string[] {
    return [...new Set([...this.accounts().values()].map(({ consumerSecret }) => consumerSecret))];
  }
}
