import type { Party } from '@tierline/events';
import { parsePhoneNumberFromString } from 'libphonenumber-js';

/** What Twilio puts in the place of a withheld number: ANONYMOUS, RESTRICTED, BLOCKED, UNKNOWN and UNAVAILABLE, typed on a telephone's keys. */
const WITHHELD = new Set(['', 'anonymous', '+266696687', '+7378742833', '+2562533', '+8656696', '+86282452253']);

/** E.164, or undefined when it is not a telephone number. A number without a country code is read as one of the country of `ourNumber`. */
export function e164(value: string, ourNumber?: string): string | undefined {
  const country = ourNumber === undefined ? undefined : parsePhoneNumberFromString(ourNumber)?.country;
  const parsed = parsePhoneNumberFromString(value, country);
  // Possible, not valid: numbering plans change sooner than their tables, and nobody's message may be lost to that.
  return parsed?.isPossible() ? parsed.number : undefined;
}

/** Who is at the other end. `verified` is what the caller of this function knows; a withheld or made-up sender never is. */
export function phoneParty(value: string, ourNumber: string, verified: boolean): Party {
  if (WITHHELD.has(value.toLowerCase())) return { type: 'anonymous', value, normalized: '', verified: false };
  const number = e164(value, ourNumber);
  if (number !== undefined) return { type: 'phone', value, normalized: number, verified };
  // Short codes keep their digits; names of senders, `client:` and `sip:` addresses are handles that anybody can take.
  if (/^\d{3,8}$/.test(value)) return { type: 'phone', value, normalized: value, verified };
  return { type: 'handle', value, normalized: value.toLowerCase(), verified: false };
}
