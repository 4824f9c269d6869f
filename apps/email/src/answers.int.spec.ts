import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MessageRequested, newId } from '@tierline/events';
import { emailParty, eventually } from '@tierline/testing';
import { mailOf, startEmail, type EmailService } from '../test/email-service.ts';
import { smtpSink, type SmtpSink } from '../test/smtp-sink.ts';
import { MAX_ANSWERS_AN_HOUR } from './may-answer.ts';

let email: EmailService;
let sink: SmtpSink;

beforeAll(async () => {
  [email, sink] = await Promise.all([startEmail(), smtpSink()]);
  const smtp = { host: '127.0.0.1', port: sink.port, tls: 'none' as const };
  await email.configure({ address: 'support@acme.example', ref: 'support', displayName: 'Acme Support', smtp }, { address: 'readonly@acme.example' });
});
afterAll(async () => {
  await Promise.all([email.stop(), sink.stop()]);
});

function message(given: Partial<MessageRequested['data']> = {}): MessageRequested['data'] {
  return {
    messageId: newId(),
    ticketId: newId(),
    channel: 'email',
    accountRef: 'support',
    conversationKey: `email:support:${newId()}`,
    kind: 'reply',
    automatic: false,
    to: emailParty(`${newId()}@example.org`),
    subject: 'Your printer',
    text: 'Have you turned it off and on again?',
    attachments: [],
    ...given,
  };
}

async function send(given: Partial<MessageRequested['data']> = {}): Promise<MessageRequested['data']> {
  const data = message(given);
  await email.append(MessageRequested, data.conversationKey, data);
  return data;
}

/** What became of a message, when that is known. */
async function outcome({ messageId }: MessageRequested['data']) {
  return eventually(async () => {
    const [event] = (await email.events('message')).filter(
      ({ type, data }) => type !== 'message.requested' && (data as { messageId: string }).messageId === messageId,
    );
    return event ? { type: event.type, ...(event.data as Record<string, unknown>) } : null;
  });
}

async function mailTo(recipient: string) {
  return eventually(() => sink.mails.find(({ to }) => to.includes(recipient)) ?? null);
}

describe('an answer', () => {
  it('goes out under the names of the mails before it, and its own answer comes back to the same conversation and ticket', async () => {
    await email.deliver(mailOf({ 'Message-ID': '<first@example.org>', Subject: 'Broken printer', From: 'carl@example.org' }));
    await email.deliver(
      mailOf({ 'Message-ID': '<second@example.org>', 'In-Reply-To': '<first@example.org>', From: 'carl@example.org', Subject: 'Re: Broken printer' }),
    );
    const { conversationKey } = (await email.contactsWhen(2))[1]!;
    const { subject: _, ...answer } = message({ conversationKey, to: emailParty('carl@example.org') });
    const sent = await send({ ...answer, subject: undefined });

    const mail = await mailTo('carl@example.org');
    expect(mail.from).toBe('support@acme.example');
    expect(mail.header('from')).toBe('Acme Support <support@acme.example>');
    expect(mail.header('in-reply-to')).toBe('<second@example.org>');
    expect(mail.header('references')!.split(/\s+/)).toEqual(['<first@example.org>', '<second@example.org>']);
    expect(mail.header('subject')).toMatch(/^Re: Broken printer \[#[2-9a-z]{10}\]$/);
    expect(mail.header('auto-submitted')).toBeUndefined();
    expect(mail.raw.toString()).toContain('multipart/alternative');
    const messageId = mail.header('message-id')!;
    expect(messageId).toMatch(/^<[0-9a-f]{32}\.[0-9a-f]{32}\.[0-9a-f]{16}@acme\.example>$/);
    expect(await outcome(sent)).toMatchObject({ type: 'message.sent', externalId: messageId });

    const replyTo = /<(.+)>/.exec(mail.header('reply-to')!)![1]!;
    const back = { From: 'carl@example.org', 'Message-ID': `<${newId()}@example.org>` };
    const threaded = { conversationKey, threading: { ticketId: sent.ticketId } };
    // By any of the ways that mail programs leave.
    const ways: { fields: Record<string, string>; to: string }[] = [
      { fields: { 'In-Reply-To': messageId }, to: 'support@acme.example' },
      { fields: { To: replyTo }, to: replyTo },
      { fields: { Subject: `AW: ${mail.header('subject')}` }, to: 'support@acme.example' },
    ];
    for (const [index, { fields, to }] of ways.entries()) {
      await email.deliver(mailOf({ ...back, 'Message-ID': `<way${index}@example.org>`, ...fields }), { to: [to] });
      const contact = await eventually(async () => (await email.contacts()).find(({ externalId }) => externalId === `way${index}@example.org`) ?? null);
      expect(contact).toMatchObject(threaded);
    }
  });

  it('follows the answer before it, also when both are asked for at once', async () => {
    const conversationKey = `email:support:${newId()}`;
    const to = emailParty('dora@example.org');
    const [one, other] = [message({ conversationKey, to, text: 'one' }), message({ conversationKey, to, text: 'other' })];
    await email.log.transaction('test', async (tx) => {
      for (const data of [one, other]) tx.append(MessageRequested, conversationKey, data);
    });
    await Promise.all([outcome(one), outcome(other)]);
    const mails = sink.mails.filter(({ to: recipients }) => recipients.includes('dora@example.org'));
    expect(mails.map((mail) => mail.header('in-reply-to'))).toEqual([undefined, mails[0]!.header('message-id')]);
  });

  it('keeps line breaks out of its header', async () => {
    await send({ to: emailParty('eve@example.org'), subject: 'Hello\r\nBcc: all@example.org\r\n\r\nbody' });
    const mail = await mailTo('eve@example.org');
    expect(mail.to).toEqual(['eve@example.org']);
    expect(mail.raw.toString()).not.toMatch(/^Bcc:/m);
  });
});

describe('an automatic answer', () => {
  it('says that nobody wrote it', async () => {
    await send({ kind: 'acknowledgement', automatic: true, to: emailParty('fay@example.org') });
    const mail = await mailTo('fay@example.org');
    expect(mail.from).toBe('');
    expect(['auto-submitted', 'precedence', 'x-auto-response-suppress'].map((name) => mail.header(name))).toEqual(['auto-generated', 'bulk', 'All']);
    expect(mail.header('x-tierline-loop')).toMatch(/^[0-9a-f]{32}$/);
  });

  it('is known when it comes back by another way', async () => {
    await send({ kind: 'acknowledgement', automatic: true, to: emailParty('gus@example.org') });
    const loop = (await mailTo('gus@example.org')).header('x-tierline-loop')!;
    await email.deliver(mailOf({ From: 'gus@example.org', 'Message-ID': '<loop@example.org>', 'X-Tierline-Loop': loop }));
    await email.deliver(mailOf({ From: 'gus@example.org', 'Message-ID': '<forged@example.org>', 'X-Tierline-Loop': 'f'.repeat(32) }));
    const flags = async (id: string) => eventually(async () => (await email.contacts()).find(({ externalId }) => externalId === id)?.flags ?? null);
    expect(await flags('loop@example.org')).toEqual({ autoReply: true });
    expect(await flags('forged@example.org')).toEqual({});
  });

  it.each([
    ['a mailbox of ours', 'readonly@acme.example'],
    ['an address that nobody reads', 'no-reply@example.org'],
  ])('is not sent to %s', async (_, address) => {
    const refused = await send({ kind: 'acknowledgement', automatic: true, to: emailParty(address) });
    expect(await outcome(refused)).toMatchObject({ type: 'message.failed', outcome: 'permanent' });
    // What a person writes is.
    await send({ to: emailParty(address) });
    await mailTo(address);
  });

  it('ends when one address has had enough of them', async () => {
    const all = Array.from({ length: MAX_ANSWERS_AN_HOUR + 3 }, () =>
      message({ kind: 'acknowledgement', automatic: true, to: emailParty('robot@example.org') }),
    );
    for (const data of all) await email.append(MessageRequested, data.conversationKey, data);
    const outcomes = await Promise.all(all.map(outcome));
    expect(outcomes.filter(({ type }) => type === 'message.sent')).toHaveLength(MAX_ANSWERS_AN_HOUR);
    expect(outcomes.filter(({ type }) => type === 'message.failed')).toHaveLength(3);
  });
});

describe('a mail that the server does not take', () => {
  it('is sent again under the same Message-ID when that may help', async () => {
    sink.answers.push(451);
    const sent = await send({ to: emailParty('hal@example.org') });
    const mail = await mailTo('hal@example.org');
    expect(mail.header('message-id')).toContain(sent.messageId.replaceAll('-', ''));
    expect(await outcome(sent)).toMatchObject({ type: 'message.sent' });
  });

  it('has failed for good when the server says so', async () => {
    sink.answers.push(554);
    expect(await outcome(await send())).toMatchObject({ type: 'message.failed', outcome: 'permanent', reason: expect.stringContaining('554') });
  });

  it('may have arrived when the server goes away after reading it', async () => {
    sink.answers.push('hang up');
    expect(await outcome(await send())).toMatchObject({ type: 'message.failed', outcome: 'unknown' });
  });

  it('cannot be sent from a mailbox without a server, or to no address', async () => {
    expect(await outcome(await send({ accountRef: 'readonly@acme.example' }))).toMatchObject({ outcome: 'permanent' });
    expect(await outcome(await send({ to: { type: 'anonymous', value: '', normalized: '', verified: false } }))).toMatchObject({ outcome: 'permanent' });
  });
});
