import { createHash } from 'node:crypto';
import { blobOf, toContact, type NormalizeContext, type RawItem } from '@tierline/channel';
import { derivedId, type Contact } from '@tierline/events';
import { EmailAdapter } from './email.adapter.ts';
import { mailKey } from './imap/mailbox.service.ts';
import { MailReader } from './mail/mail-reader.service.ts';
import { readHeader } from './mail/read-header.ts';

const reader = new MailReader();

/**
 * The contact that a mail file becomes, as the service would make it, without a server: for the same bytes always the same. The mailbox and the time of arrival,
 * which a file does not have, are those that the mail says of itself. Resolves for any bytes whatever.
 */
export async function parseMailFile(bytes: Buffer, name: string): Promise<Contact> {
  const header = readHeader(bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const receivedAt = new Date(header.lastReceived ?? header.date ?? 0);
  const item: RawItem = {
    accountRef: header.recipients[0] ?? 'unknown',
    dedupeKey: mailKey(bytes),
    mediaType: 'message/rfc822',
    body: bytes,
    meta: {},
    receivedAt,
  };
  const context: NormalizeContext = {
    contactId: derivedId(sha256, 'contact'),
    raw: { ref: `file:${name}`, sha256, mediaType: item.mediaType, bytes: bytes.length },
    receivedAt,
    saveBlob: (content) => Promise.resolve(blobOf(content)),
    secret: '',
  };
  const adapter = new EmailAdapter({ get: () => undefined }, reader, { get: () => Promise.reject(new Error('a file has no blobs')) }, '');
  // Without a mailbox nothing is a copy of our own mail, so there is always a contact.
  return (await toContact(adapter, item, context))!;
}
