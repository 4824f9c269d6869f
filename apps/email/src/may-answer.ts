import { isNoReply } from './mail/is-automatic.ts';
import { normalizeAddress } from './mail/addresses.ts';
import { withoutDetail } from './message-id.ts';

/** More automatic answers to one address in an hour are two programs talking (RFC 3834 §2). */
export const MAX_ANSWERS_AN_HOUR = 10;

/** Why an automatic mail must not be sent to an address, or undefined when it may. */
export function whyNotAnswer(address: string, ownAddresses: ReadonlySet<string>, answersInLastHour: number): string | undefined {
  if (ownAddresses.has(normalizeAddress(address)) || ownAddresses.has(withoutDetail(address))) return `${address} is a mailbox of ours, and would answer`;
  if (isNoReply(address)) return `nobody reads what is sent to ${address}`;
  if (answersInLastHour >= MAX_ANSWERS_AN_HOUR) return `${address} had ${MAX_ANSWERS_AN_HOUR} automatic answers in the last hour`;
  return undefined;
}
