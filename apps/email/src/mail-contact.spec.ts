import { describe, expect, it } from '@jest/globals';
import { newId } from '@tierline/events';
import { mailbox } from './configuration.ts';
import { mailContact, type MailOrigin } from './mail-contact.ts';
import { headerOnly } from './mail/mail-reader.service.ts';
import type { ReadMail } from './mail/read-mail.ts';
import { loopMark, outboundMessageId, replyAddress } from './message-id.ts';

const SECRET = 'a secret of an installation, 32+';
const ARRIVED = new Date('2026-01-05T12:00:00Z');
const support = mailbox.parse({ address: 'support@acme.example', brand: 'acme', trustedAuthservIds: ['mx.acme.example'] });
const origin: MailOrigin = {
  contactId: newId(),
  accountRef: 'support',
  dedupeKey: 'mail:1',
  raw: { ref: 'raw', sha256: 'a'.repeat(64), mediaType: 'message/rfc822', bytes: 1 },
  receivedAt: new Date('2026-01-05T12:00:05Z'),
  arrivedAt: ARRIVED,
};

function read(fields: Record<string, string>): ReadMail {
  const header = { From: 'Ann <Ann@example.org>', To: 'support@acme.example', ...fields };
  return {
    ...headerOnly(
      Buffer.from(
        `${Object.entries(header)
          .map(([name, value]) => `${name}: ${value}\r\n`)
          .join('')}\r\n`,
      ),
    ),
    unparsable: false,
  };
}

const contactOf = (fields: Record<string, string>, given: Partial<MailOrigin> = {}) => mailContact(read(fields), { ...origin, ...given }, [], support, SECRET);

describe('mailContact', () => {
  it.each([
    ['an honest date', 'Mon, 5 Jan 2026 11:59:00 +0000', '2026-01-05T11:59:00.000Z', 'header'],
    ['a date that a queue explains', 'Wed, 31 Dec 2025 12:00:00 +0000', '2025-12-31T12:00:00.000Z', 'header'],
    ['a date that no queue explains', 'Wed, 24 Dec 2025 12:00:00 +0000', ARRIVED.toISOString(), 'receipt'],
    ['a date after the arrival', 'Mon, 5 Jan 2026 12:00:01 +0000', ARRIVED.toISOString(), 'receipt'],
    ['nonsense', 'yesterday', ARRIVED.toISOString(), 'receipt'],
    ['no date', '', ARRIVED.toISOString(), 'receipt'],
  ])('is dated by %s as far as it can be believed', (_, date, occurredAt, occurredAtSource) => {
    expect(contactOf({ Date: date })).toMatchObject({ occurredAt, occurredAtSource });
  });

  it('takes identity from From, and only the way back from Reply-To', () => {
    const contact = contactOf({ 'Reply-To': 'Desk <desk@work.example>' })!;
    expect(contact).toMatchObject({
      from: { normalized: 'ann@example.org' },
      replyTo: { normalized: 'desk@work.example' },
      ext: { email: { replyToElsewhere: true } },
    });
    expect(contactOf({ 'Reply-To': 'ann@EXAMPLE.org' })!.replyTo).toBeUndefined();
  });

  it('vouches for a sender only where our server does, and for nobody who is two', () => {
    const verdict = { 'Authentication-Results': 'mx.acme.example; dmarc=pass header.from=example.org' };
    expect(contactOf(verdict)!.from.verified).toBe(true);
    expect(contactOf({ ...verdict, From: 'ann@example.org, bob@evil.example' })).toMatchObject({ from: { verified: false }, flags: { multipleFrom: true } });
    expect(contactOf({ 'Authentication-Results': 'mx.evil.example; dmarc=pass' })!.from.verified).toBe(false);
  });

  it('has nobody for a sender where nobody is named', () => {
    expect(contactOf({ From: 'who knows' })!.from).toEqual({ type: 'anonymous', value: '', normalized: '', verified: false });
  });

  it('is none for a copy of what this very mailbox sent, but one for what another of ours sent it', () => {
    const id = `<${outboundMessageId(newId(), newId(), 'acme.example', SECRET)}>`;
    expect(contactOf({ From: 'support@acme.example', 'Message-ID': id })).toBeUndefined();
    expect(contactOf({ From: 'sales@acme.example', 'Message-ID': id })).toBeDefined();
    expect(contactOf({ From: 'support@acme.example', 'Message-ID': '<forged@acme.example>' })).toBeDefined();
  });

  it('knows our own automatic mail, and the null sender', () => {
    expect(contactOf({ 'X-Tierline-Loop': loopMark(SECRET) })!.flags).toEqual({ autoReply: true });
    expect(contactOf({ 'X-Tierline-Loop': 'guessed' })!.flags).toEqual({});
    expect(contactOf({}, { envelopeFrom: '' })!.flags).toEqual({ autoReply: true });
    expect(contactOf({}, { envelopeFrom: 'ann@example.org' })!.flags).toEqual({});
  });

  it('finds the ticket in the address that the mail was delivered for', () => {
    const ticketId = newId();
    const envelopeTo = replyAddress('support@acme.example', ticketId, SECRET)!;
    expect(contactOf({}, { envelopeTo })!.threading).toEqual({ ticketId, parents: [] });
  });

  it('names its conversation by the first mail of the thread', () => {
    const key = (fields: Record<string, string>) => contactOf(fields)!.conversationKey;
    expect(key({ 'Message-ID': '<c@x>', 'In-Reply-To': '<b@x>', References: '<a@x> <b@x>' })).toBe('email:support:a@x');
    expect(key({ 'Message-ID': '<b@x>', 'In-Reply-To': '<a@x>' })).toBe('email:support:a@x');
    expect(key({ 'Message-ID': '<a@x>' })).toBe('email:support:a@x');
    expect(key({})).toBe(`email:support:mail:${origin.raw.sha256}`);
  });
});
