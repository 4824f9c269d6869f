import { createHmac, timingSafeEqual } from 'node:crypto';
import { normalizeAddress } from './mail/addresses.ts';

/** RFC 5321 §4.5.3.1.1 */
const MAX_LOCAL_PART = 64;
/** Letters that survive a telephone and a server that changes their case. */
const TOKEN_LETTERS = '23456789abcdefghjkmnpqrstvwxyz';

const OUTBOUND_ID = /^([0-9a-f]{32})\.([0-9a-f]{32})\.([0-9a-f]{16})@/i;
const REPLY_ADDRESS = /\+t\.([0-9a-z]{25})\.([0-9a-f]{10})@/i;
const SUBJECT_TOKEN = /\[#([2-9a-z]{10})\]/gi;

/** The Message-ID (without brackets) of a mail of ours: the same on every try, and proof of the ticket when it comes back in an answer. */
export function outboundMessageId(messageId: string, ticketId: string, domain: string, secret: string): string {
  const ids = `${hexOf(messageId)}.${hexOf(ticketId)}`;
  return `${ids}.${sign(secret, 'message-id', ids).slice(0, 16)}@${domain}`;
}

/** The ticket that a Message-ID of ours names; undefined for everybody else's and for forged ones. */
export function ticketOfMessageId(id: string, secret: string): string | undefined {
  const [, message, ticket, signature] = OUTBOUND_ID.exec(id.toLowerCase()) ?? [];
  return ticket && matches(signature!, sign(secret, 'message-id', `${message}.${ticket}`)) ? uuidOf(ticket) : undefined;
}

/** `support+t.<ticket>.<signature>@example.com`: where the answers to a ticket go. Undefined when the address has no room for it. */
export function replyAddress(address: string, ticketId: string, secret: string): string | undefined {
  const at = address.lastIndexOf('@');
  const ticket = BigInt(`0x${hexOf(ticketId)}`)
    .toString(36)
    .padStart(25, '0');
  const local = `${address.slice(0, at)}+t.${ticket}.${sign(secret, 'reply-to', ticket).slice(0, 10)}`;
  return local.length <= MAX_LOCAL_PART ? local + address.slice(at) : undefined;
}

/** The ticket that a reply address of ours names. */
export function ticketOfAddress(address: string, secret: string): string | undefined {
  const [, ticket, signature] = REPLY_ADDRESS.exec(address.toLowerCase()) ?? [];
  if (!ticket || !matches(signature!, sign(secret, 'reply-to', ticket))) return undefined;
  const number = [...ticket].reduce((sum, digit) => sum * 36n + BigInt(parseInt(digit, 36)), 0n);
  return uuidOf(number.toString(16).padStart(32, '0'));
}

/** An address of ours without what stands after its plus sign. */
export function withoutDetail(address: string): string {
  return normalizeAddress(address).replace(/\+[^@]*@/, '@');
}

/** The mark of a ticket in a subject, `[#…]`: last resort for programs that keep nothing else. It proves the ticket because nobody can guess it. */
export function subjectToken(ticketId: string, secret: string): string {
  const bytes = hmac(secret, 'subject', hexOf(ticketId));
  return [...bytes.subarray(0, 10)].map((byte) => TOKEN_LETTERS[byte % TOKEN_LETTERS.length]).join('');
}

/** The marks in a subject that look like ours; whether they are, only our own records can say. */
export function subjectTokens(subject: string): string[] {
  return [...subject.matchAll(SUBJECT_TOKEN)].map((match) => match[1]!.toLowerCase());
}

/** What our automatic mail carries, so that it is known when it comes back. */
export function loopMark(secret: string): string {
  return sign(secret, 'loop', '').slice(0, 32);
}

function sign(secret: string, purpose: string, value: string): string {
  return hmac(secret, purpose, value).toString('hex');
}

function hmac(secret: string, purpose: string, value: string): Buffer {
  return createHmac('sha256', secret).update(`email ${purpose}\n${value}`).digest();
}

/** Whether a shortened signature is the beginning of the whole one. */
function matches(given: string, whole: string): boolean {
  return timingSafeEqual(Buffer.from(given), Buffer.from(whole.slice(0, given.length)));
}

function hexOf(uuid: string): string {
  return uuid.replaceAll('-', '');
}

function uuidOf(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
