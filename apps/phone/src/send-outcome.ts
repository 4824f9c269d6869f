import type { SendResult } from '@tierline/channel';

/** An answer of Twilio that is not a message: https://www.twilio.com/docs/usage/twilios-response#response-formats-exceptions. */
export interface Refusal {
  readonly status: number;
  readonly retryAfter: string | undefined;
  /** Twilio's error code, such as 21610 for a recipient who has opted out. */
  readonly code: number | undefined;
  readonly message: string | undefined;
}

/** What a refusal means for the message. */
export function refused({ status, retryAfter, code, message }: Refusal): SendResult {
  const reason = `Twilio answered ${status}${code === undefined ? '' : `, error ${code}`}${message === undefined ? '' : `: ${message}`}`;
  // A gateway that gave up waiting does not know what the server behind it did.
  if (status === 504) return { outcome: 'unknown', reason };
  if (status !== 429 && status < 500) return { outcome: 'permanent', reason };
  const retryAfterMs = retryAfter !== undefined && /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1000 : undefined;
  return { outcome: 'retry', reason, ...(retryAfterMs !== undefined && { retryAfterMs }) };
}
