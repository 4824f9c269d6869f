import type { SendResult } from '@tierline/channel';

/** X counts in whole seconds: a moment more, so that nobody comes back too early. */
const MARGIN_MS = 1_000;

/** An answer of X that is not what was asked for: https://docs.x.com/x-api/fundamentals/response-codes-and-errors. */
export interface Refusal {
  readonly status: number;
  readonly detail: string | undefined;
  /** When the limit that was met ends, in seconds since 1970. */
  readonly resetsAtSec: number | undefined;
}

/** What a refusal means for the post or message. */
export function refused({ status, detail, resetsAtSec }: Refusal, now: Date): SendResult {
  const reason = `X answered ${status}${detail === undefined ? '' : `: ${detail}`}`;
  // A gateway that gave up waiting does not know what the server behind it did.
  if (status === 504) return { outcome: 'unknown', reason };
  if (status !== 429 && status < 500) return { outcome: 'permanent', reason };
  if (resetsAtSec === undefined) return { outcome: 'retry', reason };
  return { outcome: 'retry', reason, retryAfterMs: Math.max(resetsAtSec * 1000 - now.getTime(), 0) + MARGIN_MS };
}
