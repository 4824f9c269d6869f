import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import type { RawItem } from '@tierline/channel';
import { conformance } from '@tierline/channel/conformance';
import { mailbox } from './configuration.ts';
import { EmailAdapter } from './email.adapter.ts';
import { mailKey } from './imap/mailbox.service.ts';
import { MailReader } from './mail/mail-reader.service.ts';
import { parseMailFile } from './parse-mail-file.ts';

const SAMPLES = join(import.meta.dirname, '../samples');
const names = readdirSync(SAMPLES).map((file) => file.replace('.eml', ''));
const sample = (name: string): Buffer => readFileSync(join(SAMPLES, `${name}.eml`));

const reader = new MailReader();
afterAll(() => reader.stop());

const support = mailbox.parse({ address: 'support@acme.example', trustedAuthservIds: ['mx.acme.example'] });
const noBlobs = { get: () => Promise.reject(new Error('nothing is sent here')) };
const adapter = new EmailAdapter({ get: () => support }, reader, noBlobs, 'a secret of an installation, 32+');

function item(body: Buffer): RawItem {
  return { accountRef: 'support', dedupeKey: mailKey(body), mediaType: 'message/rfc822', body, meta: {}, receivedAt: new Date('2026-01-05T12:00:00Z') };
}

conformance('email', {
  adapter,
  items: Object.fromEntries(names.map((name) => [name, item(sample(name))])),
  withText: (text) => {
    // UTF-8 has no way to write half a surrogate pair.
    const body = Buffer.from(text.replace(/\p{Surrogate}/gu, '')).toString('base64');
    return item(Buffer.from(`From: ann@example.org\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n${body}`));
  },
});

describe('parseMailFile', () => {
  it('makes the contact that the service makes, but for what only the service knows', async () => {
    const file = await parseMailFile(sample('gmail-reply'), 'gmail-reply.eml');
    const { accountRef, conversationKey, receivedAt, raw, id, ...rest } = file;
    expect({ accountRef, conversationKey, receivedAt, ref: raw.ref }).toEqual({
      accountRef: 'support@acme.example',
      conversationKey: 'email:support@acme.example:0f4a8c2e@acme.example',
      receivedAt: '2026-01-05T09:14:09.000Z',
      ref: 'file:gmail-reply.eml',
    });
    const context = { contactId: id, raw, receivedAt: new Date(receivedAt), secret: '', saveBlob: () => Promise.reject(new Error('no attachments here')) };
    const unknownMailbox = new EmailAdapter({ get: () => undefined }, reader, noBlobs, '');
    expect(await unknownMailbox.normalize(item(sample('gmail-reply')), context)).toMatchObject(rest);
  });

  it('makes the same contact each time', async () => {
    expect(await parseMailFile(sample('apple-inline-picture'), 'a')).toEqual(await parseMailFile(sample('apple-inline-picture'), 'a'));
  });

  it.each([
    ['an empty file', Buffer.alloc(0)],
    ['NUL', Buffer.alloc(1_000)],
    ['noise', Buffer.from(Array.from({ length: 5_000 }, (_, n) => (n * n * 31 + n * 7) & 0xff))],
    ['20,000 parts', Buffer.from(`Content-Type: multipart/mixed; boundary=b\n\n${'--b\n\nx\n'.repeat(20_000)}`)],
  ])('makes a degraded contact of %s', async (_, bytes) => {
    expect(await parseMailFile(bytes, 'bad.eml')).toMatchObject({ channel: 'email', flags: { unparsable: true }, raw: { bytes: bytes.length } });
  });
});
