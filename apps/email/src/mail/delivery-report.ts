import { decodeText, readHeaders, valueOf } from './headers.ts';
import { messageIds } from './message-ids.ts';
import type { MailPart } from './parse-mail.ts';

/** What a mail server says became of a mail of ours (RFC 3464). */
export interface DeliveryReport {
  readonly recipients: readonly { address: string; action: string; status: string; diagnostic?: string }[];
  /** The Message-ID of the mail that it is about. */
  readonly originalId?: string;
}

const MAX_RECIPIENTS = 20;
const MAX_DIAGNOSTIC = 500;

/** The report among the parts of a bounce, or undefined when there is none. */
export function readDeliveryReport(parts: readonly MailPart[]): DeliveryReport | undefined {
  const status = parts.find((part) => part.mediaType === 'message/delivery-status');
  const original = parts.find((part) => /^(message\/rfc822(-headers)?|text\/rfc822-headers|message\/global(-headers)?)$/.test(part.mediaType));
  if (!status) return undefined;
  const originalId = original && messageIds(valueOf(readHeaders(original.content), 'message-id') ?? '')[0];
  return { recipients: recipientsOf(decodeText(status.content, 'utf-8')), ...(originalId !== undefined && { originalId }) };
}

/** Groups of fields parted by empty lines: the first is about the mail, each other about one recipient. */
function recipientsOf(text: string): DeliveryReport['recipients'] {
  const groups = text
    .replace(/\r\n?/g, '\n')
    .replace(/\n[ \t]+/g, ' ')
    .split(/\n{2,}/);
  return groups
    .map((group) => new Map(group.split('\n').map((line) => [line.split(':', 1)[0]!.trim().toLowerCase(), line.slice(line.indexOf(':') + 1).trim()])))
    .filter((fields) => fields.has('action') || fields.has('status'))
    .slice(0, MAX_RECIPIENTS)
    .map((fields) => {
      const diagnostic = withoutType(fields.get('diagnostic-code')).slice(0, MAX_DIAGNOSTIC);
      return {
        address: withoutType(fields.get('final-recipient') ?? fields.get('original-recipient')).toLowerCase(),
        action: (fields.get('action') ?? '').toLowerCase(),
        status: /^\d\.\d{1,3}\.\d{1,3}/.exec(fields.get('status') ?? '')?.[0] ?? '',
        ...(diagnostic !== '' && { diagnostic }),
      };
    });
}

/** `rfc822; ann@example.com`: the kind of value comes first. */
function withoutType(value = ''): string {
  return value.slice(value.indexOf(';') + 1).trim();
}
