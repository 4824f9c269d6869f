import { validateRequest, validateRequestWithBody } from 'twilio/lib/webhooks/webhooks.js';
import { twilioParams } from './twilio-request.ts';

/** What Twilio signs: the address it was told to call, and the parameters of a form or the hash of any other body. */
export interface SignedRequest {
  readonly url: string;
  readonly body: Buffer;
  /** `X-Twilio-Signature` */
  readonly signature: string | undefined;
}

/**
 * Whether the owner of one of the tokens signed this request (https://www.twilio.com/docs/usage/security). Twilio's own library decides, because its
 * servers sign the address with and without port and with old query encodings. There is no time in the scheme: replays are stopped by dedupe keys.
 */
export function isSigned({ url, body, signature = '' }: SignedRequest, authTokens: readonly string[]): boolean {
  const hashed = new URL(url).searchParams.has('bodySHA256');
  return authTokens.some((token) =>
    hashed ? validateRequestWithBody(token, signature, url, body.toString('utf8')) : validateRequest(token, signature, url, twilioParams(body)),
  );
}
