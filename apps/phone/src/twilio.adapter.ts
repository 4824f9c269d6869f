import type { ChannelAdapter, NormalizeContext, RawItem, RawRequest, RawResponse, SendResult } from '@tierline/channel';
import type { Contact, MessageRequested } from '@tierline/events';
import { DEFAULT_GREETING, type PhoneAccount } from './configuration.ts';
import { TWILIO_ADAPTER, twilioContact } from './twilio-contact.ts';
import { callKey, twilioItem } from './twilio-items.ts';
import { param, twilioParams } from './twilio-request.ts';
import { isSigned } from './twilio-signature.ts';
import { NO_INSTRUCTIONS, voicemail } from './twiml.ts';

/** Twilio answers in a second or two; a message that it has not answered by then is not sent again. */
const API_TIMEOUT_MS = 20_000;

/** SMS and calls through Twilio. Both are answered by SMS. */
export class TwilioAdapter implements ChannelAdapter {
  readonly channel = TWILIO_ADAPTER.name;
  readonly version = TWILIO_ADAPTER.version;

  constructor(
    /** By the number. */
    private readonly accounts: () => ReadonlyMap<string, PhoneAccount>,
    private readonly apiTimeoutMs = API_TIMEOUT_MS,
  ) {}

  verify(request: RawRequest): { valid: true } | { valid: false; reason: string } {
    const accountSid = param(twilioParams(request.body), 'AccountSid');
    // Sub-accounts sign with tokens of their own.
    const accounts = [...this.accounts().values()].filter((account) => accountSid === undefined || account.accountSid === accountSid);
    if (accounts.length === 0) return { valid: false, reason: 'it is not from an account of ours' };
    const tokens = new Set(accounts.flatMap(({ authToken, secondaryAuthToken }) => [authToken, ...(secondaryAuthToken ? [secondaryAuthToken] : [])]));
    return isSigned({ url: request.url, body: request.body, signature: request.headers['x-twilio-signature'] }, [...tokens])
      ? { valid: true }
      : { valid: false, reason: `it was not made for ${request.url} by an account of ours` };
  }

  split(request: RawRequest, receivedAt: Date): RawItem[] {
    return [twilioItem(request.body, receivedAt)];
  }

  acknowledge(request: RawRequest): RawResponse {
    const item = twilioItem(request.body, new Date(0));
    // The call itself asks what to do; callbacks and messages want no instructions.
    const asks = item.dedupeKey === callKey(twilioParams(request.body));
    const body = asks ? voicemail(this.accounts().get(item.accountRef)?.greeting ?? DEFAULT_GREETING, 'status') : NO_INSTRUCTIONS;
    return { status: 200, mediaType: 'text/xml', body };
  }

  async normalize(item: RawItem, context: NormalizeContext): Promise<Contact | undefined> {
    return twilioContact(item, context);
  }

  async send(message: MessageRequested['data']): Promise<SendResult> {
    const account = this.accounts().get(message.accountRef);
    if (!account) return { outcome: 'permanent', reason: `${message.accountRef} is not one of our numbers` };
    if (message.to.type !== 'phone') return { outcome: 'permanent', reason: `${message.to.value || 'a withheld number'} cannot be written to` };
    if (message.attachments.length > 0) return { outcome: 'permanent', reason: 'an SMS carries no attachments' };
    // The library is large, and many installations never send an SMS.
    const { sendSms } = await import('./twilio-api.adapter.ts');
    return sendSms(account, { from: message.accountRef, to: message.to.normalized, body: message.text }, this.apiTimeoutMs);
  }
}
