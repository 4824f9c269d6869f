import type { MessageRequested } from '@tierline/events';
import type { Options } from 'nodemailer/lib/mailer';
import type { Mailbox } from './configuration.ts';
import { loopMark, replyAddress, subjectToken } from './message-id.ts';
import type { PreparedMail } from './thread.service.ts';

export interface ComposedMail {
  /** For nodemailer. */
  readonly options: Options;
  /** Automatic mail has no sender to complain to (RFC 3834 §3.3). */
  readonly envelope: { readonly from: string; readonly to: readonly string[] };
}

const REPLY_PREFIX = /^(re|aw|sv|antw|odp|vs|res|rif)(\[\d+\])?\s*:/i;

/** The mail that a message becomes: the same on every try but for its date. */
export function composeMail(message: MessageRequested['data'], mailbox: Mailbox, prepared: PreparedMail, secret: string): ComposedMail {
  const { ticketId, kind, automatic, to } = message;
  const belongsToTicket = kind !== 'notice';
  const repliesTo = belongsToTicket && mailbox.plusAddressing ? replyAddress(mailbox.address, ticketId, secret) : undefined;
  const subject = subjectOf(message, prepared);
  return {
    options: {
      from: { name: mailbox.displayName ?? '', address: mailbox.address },
      to: { name: to.display ?? '', address: to.value },
      ...(repliesTo !== undefined && { replyTo: { name: mailbox.displayName ?? '', address: repliesTo } }),
      subject: belongsToTicket ? `${subject} [#${subjectToken(ticketId, secret)}]` : subject,
      text: message.text,
      html: message.html ?? htmlOf(message.text),
      messageId: `<${prepared.messageId}>`,
      ...(prepared.inReplyTo !== undefined && { inReplyTo: `<${prepared.inReplyTo}>` }),
      ...(prepared.references.length > 0 && { references: prepared.references.map((id) => `<${id}>`) }),
      headers: automatic ? automaticHeaders(prepared, secret) : {},
      disableFileAccess: true,
      disableUrlAccess: true,
    },
    envelope: { from: automatic ? '' : mailbox.address, to: [to.value] },
  };
}

/** An answer keeps the subject of what it answers, so that programs show them together. */
function subjectOf(message: MessageRequested['data'], prepared: PreparedMail): string {
  // The mark is written anew: the customer's program has kept the old one.
  const subject = (message.subject ?? prepared.subject ?? '').replace(/\s*\[#[2-9a-z]{10}\]/gi, '').trim();
  if (prepared.inReplyTo === undefined) return subject;
  return REPLY_PREFIX.test(subject) ? subject : `Re: ${subject}`.trim();
}

/** What keeps other programs from answering (RFC 3834 §5; Exchange; old list servers), and what we know our own by when it comes back. */
function automaticHeaders(prepared: PreparedMail, secret: string): Record<string, string> {
  return {
    'Auto-Submitted': prepared.inReplyTo === undefined ? 'auto-generated' : 'auto-replied',
    'X-Auto-Response-Suppress': 'All',
    Precedence: 'bulk',
    'X-Tierline-Loop': loopMark(secret),
  };
}

function htmlOf(text: string): string {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const paragraphs = escaped.split(/(?:\r?\n){2,}/).map((paragraph) => `<p>${paragraph.replace(/\r?\n/g, '<br>')}</p>`);
  return paragraphs.join('\n');
}
