import { neverSent, type SendResult } from '@tierline/channel';
import twilio from 'twilio';
import type { RequestOptions } from 'twilio/lib/base/RequestClient.js';
import type { PhoneAccount } from './configuration.ts';
import { refused } from './send-outcome.ts';

/** The address that the library writes into every request. */
const TWILIO_URL = 'https://api.twilio.com';

/** Twilio answered something else than a message. */
class RefusedError extends Error {
  readonly code = 'twilio.refused';
  constructor(readonly result: SendResult) {
    super('Twilio refused the message');
  }
}

/** The library's way to Twilio, to an address of ours and with the whole answer: its own errors leave `Retry-After` out. */
class Connection extends twilio.RequestClient {
  constructor(
    private readonly apiUrl: string,
    timeoutMs: number,
  ) {
    // A kept connection that Twilio closes at the moment of sending would leave open whether the message was taken.
    super({ timeout: timeoutMs, keepAlive: false });
  }

  override async request<Data>(options: RequestOptions<Data>) {
    const response = await super.request({ ...options, uri: options.uri.replace(TWILIO_URL, this.apiUrl) });
    if (response.statusCode < 400) return response;
    const { code, message } = response.body as { code?: number; message?: string };
    const { 'retry-after': retryAfter } = response.headers as Record<string, string>;
    throw new RefusedError(refused({ status: response.statusCode, retryAfter, code, message }));
  }
}

/** Hands an SMS to Twilio, which has no idempotency key for messages: what may have been taken must not be sent again. */
export async function sendSms(account: PhoneAccount, sms: { from: string; to: string; body: string }, timeoutMs: number): Promise<SendResult> {
  const client = twilio(account.accountSid, account.authToken, { httpClient: new Connection(account.apiUrl, timeoutMs) });
  try {
    const { sid } = await client.messages.create(sms);
    return { outcome: 'sent', externalId: sid };
  } catch (error) {
    if (error instanceof RefusedError) return error.result;
    return { outcome: neverSent(error) ? 'retry' : 'unknown', reason: error instanceof Error ? error.message : String(error) };
  }
}
