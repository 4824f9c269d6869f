import { normalizeAddress, readAddresses, type MailAddress } from './addresses.ts';
import { readDate } from './date.ts';
import { decodeWords } from './encoded-words.ts';
import { readHeaders, valueOf, valuesOf, type HeaderField } from './headers.ts';
import { isAutomatic, type Automatic } from './is-automatic.ts';
import { messageIds } from './message-ids.ts';

/** What the header of a mail says, as plain values: it comes from the thread that parses. */
export interface MailHeader {
  /** Whether there was any field at all: else the bytes are something, but no mail. */
  readonly isMail: boolean;
  readonly from?: MailAddress;
  readonly to: readonly MailAddress[];
  readonly cc: readonly MailAddress[];
  readonly replyTo?: MailAddress;
  /** Every address that the mail may have been sent to, in lower case. */
  readonly recipients: readonly string[];
  readonly subject?: string;
  /** Absent when the Date field is missing or names no instant. ISO 8601. */
  readonly date?: string;
  /** When the last server before us took it, by its own word. ISO 8601. */
  readonly lastReceived?: string;
  readonly messageId?: string;
  readonly inReplyTo: readonly string[];
  readonly references: readonly string[];
  readonly automatic: Automatic;
  readonly multipleFrom: boolean;
  readonly encrypted: boolean;
  /** As they stand in the header, topmost first. */
  readonly authenticationResults: readonly string[];
  readonly loopMark?: string;
}

const MAX_SUBJECT = 998;

/** Reads the header of a mail, whatever the rest is like. Never throws. */
export function readHeader(bytes: Buffer): MailHeader {
  const fields = readHeaders(bytes);
  const addresses = (name: string): MailAddress[] => valuesOf(fields, name).flatMap(readAddresses).slice(0, 100);
  const ids = (name: string): string[] => valuesOf(fields, name).flatMap(messageIds).slice(-200);
  const from = fromOf(fields);
  const replyTo = addresses('reply-to')[0];
  const to = addresses('to');
  const cc = addresses('cc');
  const subject = decodeWords(valueOf(fields, 'subject') ?? '')
    .trim()
    .slice(0, MAX_SUBJECT);
  const date = readDate(valueOf(fields, 'date') ?? '')?.toISOString();
  const lastReceived = readDate(valueOf(fields, 'received')?.split(';').at(-1) ?? '')?.toISOString();
  const messageId = ids('message-id')[0];
  const loopMark = valueOf(fields, 'x-tierline-loop');
  const delivered = ['delivered-to', 'x-original-to', 'envelope-to'].flatMap(addresses);
  return {
    isMail: fields.length > 0,
    ...(from && { from }),
    to,
    cc,
    ...(replyTo && { replyTo }),
    recipients: [...new Set([...delivered, ...to, ...cc].map(({ address }) => normalizeAddress(address)))],
    ...(subject !== '' && { subject }),
    ...(date !== undefined && { date }),
    ...(lastReceived !== undefined && { lastReceived }),
    ...(messageId !== undefined && { messageId }),
    inReplyTo: ids('in-reply-to'),
    references: ids('references'),
    automatic: isAutomatic(fields),
    multipleFrom: valuesOf(fields, 'from').length > 1 || addresses('from').length > 1,
    encrypted: /^(multipart\/encrypted|application\/(x-)?pkcs7-mime)/i.test(valueOf(fields, 'content-type') ?? ''),
    authenticationResults: valuesOf(fields, 'authentication-results'),
    ...(loopMark !== undefined && { loopMark }),
  };
}

/** The claimed sender. A mail with several From fields has none that can be believed; it gets the first, and a flag. */
function fromOf(fields: readonly HeaderField[]): MailAddress | undefined {
  for (const name of ['from', 'sender', 'return-path', 'reply-to']) {
    const first = valuesOf(fields, name).flatMap(readAddresses)[0];
    if (first) return first;
  }
  return undefined;
}
