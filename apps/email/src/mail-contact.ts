import { derivedId, type AttachmentRef, type Contact, type Party } from '@tierline/events';
import { authVerdict } from './auth-verdict.ts';
import type { Mailbox } from './configuration.ts';
import { normalizeAddress, type MailAddress } from './mail/addresses.ts';
import type { ReadMail } from './mail/read-mail.ts';
import { loopMark, ticketOfMessageId } from './message-id.ts';
import { threadEvidence } from './thread-evidence.ts';

export const EMAIL_ADAPTER = { name: 'email', version: '1' };

/** How a mail reached us, beside its own bytes. */
export interface MailOrigin {
  readonly contactId: string;
  readonly accountRef: string;
  readonly dedupeKey: string;
  readonly raw: Contact['raw'];
  /** When we had it durably. */
  readonly receivedAt: Date;
  /** When it reached the mailbox: the time it is judged by. */
  readonly arrivedAt: Date;
  /** MAIL FROM, where we were told; empty for the null sender. */
  readonly envelopeFrom?: string;
  /** The address that it was delivered for, where we were told. */
  readonly envelopeTo?: string;
  /** Only its beginning was kept. */
  readonly cut?: boolean;
}

/** A queue gives up after five days (RFC 5321 §4.5.4.1), so an honest Date is not much older than the arrival; nor is it later. */
const MAX_AGE_MS = 7 * 24 * 3_600_000;

/** The contact that a mail is, or undefined when it is a copy of one that we sent from this very mailbox. */
export function mailContact(
  mail: ReadMail,
  origin: MailOrigin,
  attachments: readonly AttachmentRef[],
  mailbox: Mailbox | undefined,
  secret: string,
): Contact | undefined {
  const { accountRef } = origin;
  const sender = mail.from && normalizeAddress(mail.from.address);
  const isOurs = mail.messageId !== undefined && ticketOfMessageId(mail.messageId, secret) !== undefined;
  if (isOurs && sender === mailbox?.address) return undefined;

  const auth = authVerdict(mail.authenticationResults, mailbox?.trustedAuthservIds ?? [], mail.from?.address);
  const delivered = origin.envelopeTo === undefined ? [] : [normalizeAddress(origin.envelopeTo)];
  const { ticketId, parents, subjectTokens } = threadEvidence({ ...mail, recipients: [...delivered, ...mail.recipients] }, secret);
  const externalId = mail.messageId ?? `mail:${origin.raw.sha256}`;
  const isLoop = mail.loopMark !== undefined && mail.loopMark === loopMark(secret);
  const from = mail.from ? party(mail.from, auth.verdict === 'verified' && !mail.multipleFrom) : NOBODY;
  const replyTo = mail.replyTo && normalizeAddress(mail.replyTo.address) !== sender ? party(mail.replyTo, false) : undefined;
  return {
    id: origin.contactId,
    kind: 'message',
    channel: 'email',
    accountRef,
    ...(mailbox?.brand !== undefined && { brand: mailbox.brand }),
    direction: 'inbound',
    dedupeKey: origin.dedupeKey,
    externalId,
    // Until the database knows better: the first mail of a thread names it, and is the farthest that an answer names.
    conversationKey: conversationKeyOf(accountRef, parents.at(-1) ?? externalId),
    threading: { ...(ticketId !== undefined && { ticketId }), parents: [...parents] },
    from,
    to: mail.to.map((address) => party(address, false)),
    cc: mail.cc.map((address) => party(address, false)),
    ...(replyTo && { replyTo }),
    ...(mail.subject !== undefined && { subject: mail.subject }),
    ...(mail.text !== undefined && { text: mail.text }),
    ...(mail.textStripped !== undefined && { textStripped: mail.textStripped }),
    ...(mail.html !== undefined && { html: mail.html }),
    ...(mail.language && { language: mail.language }),
    attachments: [...attachments],
    raw: origin.raw,
    ...occurrence(mail.date, origin.arrivedAt),
    receivedAt: origin.receivedAt.toISOString(),
    auth,
    flags: flagsOf({
      autoReply: mail.automatic.autoReply || origin.envelopeFrom === '' || isLoop,
      bulk: mail.automatic.bulk,
      bounce: mail.automatic.bounce,
      multipleFrom: mail.multipleFrom,
      unparsable: mail.unparsable,
      truncated: mail.truncated || origin.cut === true,
      encrypted: mail.encrypted,
    }),
    ext: {
      email: {
        ...(subjectTokens.length > 0 && { subjectTokens: [...subjectTokens] }),
        ...(mail.deliveryReport && { deliveryReport: mail.deliveryReport }),
        // Answering goes to an address that the sender's server does not vouch for.
        ...(replyTo && domainOf(replyTo.normalized) !== domainOf(from.normalized) && { replyToElsewhere: true }),
      },
    },
    adapter: EMAIL_ADAPTER,
  };
}

/** The key of the conversation that a message id of this mailbox names. */
export function conversationKeyOf(accountRef: string, rootId: string): string {
  return `email:${accountRef}:${rootId}`;
}

/** References to attachments whose bytes are kept, in the order of the mail. */
export function attachmentRef(
  attachment: ReadMail['attachments'][number],
  kept: { ref: string; sha256: string; bytes: number },
  contactId: string,
  index: number,
): AttachmentRef {
  const { filename, mediaType, disposition, contentId } = attachment;
  return { id: derivedId(contactId, 'attachment', index), filename, mediaType, disposition, ...(contentId !== undefined && { contentId }), ...kept };
}

const NOBODY: Party = { type: 'anonymous', value: '', normalized: '', verified: false };

function party({ address, name }: MailAddress, verified: boolean): Party {
  return { type: 'email', value: address, normalized: normalizeAddress(address), ...(name !== undefined && { display: name }), verified };
}

function occurrence(date: string | undefined, arrivedAt: Date): Pick<Contact, 'occurredAt' | 'occurredAtSource'> {
  const ageMs = date === undefined ? NaN : arrivedAt.getTime() - Date.parse(date);
  if (ageMs >= 0 && ageMs <= MAX_AGE_MS) return { occurredAt: date!, occurredAtSource: 'header' };
  return { occurredAt: arrivedAt.toISOString(), occurredAtSource: 'receipt' };
}

function flagsOf(flags: Contact['flags']): Contact['flags'] {
  return Object.fromEntries(Object.entries(flags).filter(([, set]) => set));
}

function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1);
}
