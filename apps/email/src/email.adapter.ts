import { BlobMissingError, type Accounts, type BlobStore, type ChannelAdapter, type NormalizeContext, type RawItem, type SendResult } from '@tierline/channel';
import type { AttachmentRef, Contact, MessageRequested } from '@tierline/events';
import type { Attachment } from 'nodemailer/lib/mailer';
import { composeMail } from './compose-mail.ts';
import type { Mailbox } from './configuration.ts';
import { attachmentRef, EMAIL_ADAPTER, mailContact, type MailOrigin } from './mail-contact.ts';
import { headerOnly, type MailReader } from './mail/mail-reader.service.ts';
import type { PreparedMail } from './thread.service.ts';

/** What a mail's transport says beside its bytes. */
export interface MailMeta extends Record<string, unknown> {
  /** When it reached the mailbox, if that was before us. ISO 8601. */
  arrivedAt?: string;
  envelopeFrom?: string;
  envelopeTo?: string;
  /** Only its beginning was kept. */
  cut?: boolean;
}

/** Mail ⇄ contacts. */
export class EmailAdapter implements ChannelAdapter {
  readonly channel = EMAIL_ADAPTER.name;
  readonly version = EMAIL_ADAPTER.version;

  constructor(
    private readonly accounts: Pick<Accounts<Mailbox>, 'get'>,
    private readonly reader: Pick<MailReader, 'read'>,
    private readonly blobs: Pick<BlobStore, 'get'>,
    private readonly secret: string,
  ) {}

  async normalize(item: RawItem, context: NormalizeContext): Promise<Contact | undefined> {
    const mail = await this.reader.read(item.body);
    const attachments: AttachmentRef[] = [];
    for (const [index, attachment] of mail.attachments.entries()) {
      const kept = await context.saveBlob(Buffer.from(attachment.content), attachment.mediaType);
      attachments.push(attachmentRef(attachment, kept, context.contactId, index));
    }
    return mailContact(mail, originOf(item, context), attachments, this.accounts.get(item.accountRef), context.secret);
  }

  glimpse(item: RawItem): Partial<Contact> {
    const nowhere = { contactId: '', raw: { ref: '', sha256: '', mediaType: item.mediaType, bytes: item.body.length }, receivedAt: item.receivedAt };
    return mailContact(headerOnly(item.body), originOf(item, nowhere), [], this.accounts.get(item.accountRef), this.secret) ?? {};
  }

  async send(message: MessageRequested['data'], prepared: unknown): Promise<SendResult> {
    const mailbox = this.accounts.get(message.accountRef);
    if (!mailbox?.smtp) return { outcome: 'permanent', reason: `${message.accountRef} is no mailbox of ours that can send` };
    if (message.to.type !== 'email') return { outcome: 'permanent', reason: `${message.to.value || 'somebody without an address'} cannot be mailed` };
    const mail = composeMail(message, mailbox, prepared as PreparedMail, this.secret);
    // nodemailer need not be there before the first mail leaves.
    const { sendMail } = await import('./smtp/send-mail.adapter.ts');
    const attachments: Attachment[] = [];
    try {
      for (const { ref, filename, mediaType } of message.attachments)
        attachments.push({ filename, contentType: mediaType, content: await this.blobs.get(ref) });
    } catch (error) {
      const reason = (error as Error).message;
      return error instanceof BlobMissingError ? { outcome: 'permanent', reason } : { outcome: 'retry', reason };
    }
    return sendMail(mailbox.smtp, { ...mail, options: { ...mail.options, attachments } });
  }
}

function originOf(item: RawItem, context: Pick<NormalizeContext, 'contactId' | 'raw' | 'receivedAt'>): MailOrigin {
  const { arrivedAt, envelopeFrom, envelopeTo, cut } = item.meta as MailMeta;
  return {
    contactId: context.contactId,
    accountRef: item.accountRef,
    dedupeKey: item.dedupeKey,
    raw: context.raw,
    receivedAt: context.receivedAt,
    arrivedAt: arrivedAt === undefined ? context.receivedAt : new Date(arrivedAt),
    ...(envelopeFrom !== undefined && { envelopeFrom }),
    ...(envelopeTo !== undefined && { envelopeTo }),
    ...(cut !== undefined && { cut }),
  };
}
