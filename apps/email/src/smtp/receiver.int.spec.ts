import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually, freshDatabase, type FreshDatabase } from '@tierline/testing';
import pg from 'pg';
import { mailOf, startEmail, type EmailService } from '../../test/email-service.ts';

let database: FreshDatabase;
let email: EmailService;

beforeAll(async () => {
  database = await freshDatabase('receiver');
  email = await startEmail({ database });
  await email.configure({ address: 'support@acme.example', aliases: ['help@acme.example'] }, { address: 'sales@acme.example', ref: 'sales' });
});
afterAll(async () => {
  await email.stop();
  await database.drop();
});
beforeEach(async () => {
  await email.log.dataSource.query(`TRUNCATE email.inbound, email.thread; DELETE FROM ${email.log.schema}.event_log`);
});

/** A conversation by hand: what the server answers to each line, `null` for what only listens. */
class Talk {
  private buffered = '';
  readonly socket: Socket;
  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('data', (data) => (this.buffered += data.toString()));
    this.socket.on('error', () => undefined);
  }

  async say(text: string | null): Promise<string> {
    if (text !== null) this.socket.write(`${text}\r\n`);
    const answer = await eventually(() => /^(?:\d{3}-.*\r\n)*\d{3} .*\r\n/.exec(this.buffered)?.[0] ?? null);
    this.buffered = this.buffered.slice(answer.length);
    return answer.trim();
  }

  static async greeted(port: number, greeting = 'EHLO client.example'): Promise<Talk> {
    const talk = new Talk(port);
    await talk.say(null);
    await talk.say(greeting);
    return talk;
  }
}

describe('mail by SMTP', () => {
  it('is committed when it is accepted, and becomes a contact of its mailbox', async () => {
    await email.deliver(mailOf({ 'Message-ID': '<one@example.org>' }));
    expect(await email.log.dataSource.query('SELECT account_ref, bytes FROM email.inbound')).toMatchObject([{ account_ref: 'support@acme.example' }]);
    expect(await email.contactsWhen(1)).toMatchObject([
      { channel: 'email', accountRef: 'support@acme.example', externalId: 'one@example.org', text: 'Hello', from: { normalized: 'ann@example.org' } },
    ]);
  });

  it('is one contact for each mailbox, however many of its addresses were named', async () => {
    await email.deliver(mailOf({}), { to: ['support@acme.example', 'Help@acme.example', 'support+x@acme.example', 'sales@acme.example'] });
    expect((await email.contactsWhen(2)).map(({ accountRef }) => accountRef).sort()).toEqual(['sales', 'support@acme.example']);
  });

  it('is refused for addresses that are not ours, before it is sent', async () => {
    await expect(email.deliver(mailOf({}), { to: ['nobody@acme.example'] })).rejects.toMatchObject({ responseCode: 550 });
    await email.deliver(mailOf({}), { to: ['nobody@acme.example', 'sales@acme.example'] });
    expect(await email.contactsWhen(1)).toMatchObject([{ accountRef: 'sales' }]);
  });

  it('is one contact when the same payload comes twice', async () => {
    const mail = mailOf({ 'Message-ID': '<twice@example.org>' });
    await Promise.all([email.deliver(mail), email.deliver(mail)]);
    await email.deliver(mail);
    await email.deliver(mailOf({ 'Message-ID': '<last@example.org>' }));
    expect((await email.contactsWhen(2)).map(({ externalId }) => externalId).sort()).toEqual(['last@example.org', 'twice@example.org']);
  });

  it('is kept: 80 simultaneous mails from 10 new senders', async () => {
    await Promise.all(
      Array.from({ length: 80 }, (_, n) => email.deliver(mailOf({ From: `sender${n % 10}@example.org`, 'Message-ID': `<${n}@example.org>` }, `mail ${n}`))),
    );
    const contacts = await email.contactsWhen(80);
    expect(new Set(contacts.map(({ text }) => text)).size).toBe(80);
    expect(new Set(contacts.map(({ from }) => from.normalized)).size).toBe(10);
  });

  it('is kept without a Message-ID, and with an empty one, each apart from the others', async () => {
    await email.deliver(mailOf({}, 'none'));
    await email.deliver(mailOf({ 'Message-ID': '', 'In-Reply-To': '', References: '<>' }, 'empty'));
    await email.deliver(mailOf({ 'Message-ID': '<>' }, 'brackets'));
    await email.deliver(mailOf({ 'Message-ID': '<1@localhost>' }, 'repeated'));
    await email.deliver(mailOf({ 'Message-ID': '<1@localhost>', From: 'bob@example.org' }, 'repeated by another'));
    const contacts = await email.contactsWhen(5);
    expect(new Set(contacts.map(({ conversationKey }) => conversationKey)).size).toBe(5);
  });

  it.each([
    ['9,000 parts', `Content-Type: multipart/mixed; boundary=b\r\n\r\n${'--b\r\n\r\n\r\n'.repeat(9_000)}`, { flags: { unparsable: true }, subject: 'Bad' }],
    ['no mail at all', null, { flags: { unparsable: true }, text: 'just words' }],
    ['NUL', 'X: \0\r\n\r\nbefore\0after', { text: 'beforeafter', flags: {} }],
    ['half a surrogate pair', '\r\na\xed\xa0\xbdb', { flags: {} }],
    ['a charset that lies', 'Content-Type: text/plain; charset=utf-8\r\n\r\ncaf\xe9', { text: 'café' }],
    ['nothing', '', { flags: {} }],
  ])('becomes a contact with %s', async (_, rest, expected) => {
    const mail = rest === null ? 'just words' : `From: ann@example.org\r\nSubject: Bad\r\n${rest}`;
    await email.deliver(Buffer.from(mail, 'latin1'));
    expect((await email.contactsWhen(1))[0]).toMatchObject(expected);
  });

  it('is answered 552 when it is too large, and the connection goes on', async () => {
    await expect(email.deliver(mailOf({}, 'x'.repeat(150_000)))).rejects.toMatchObject({ responseCode: 552 });
    const talk = await Talk.greeted(email.smtpPort);
    expect(await talk.say('MAIL FROM:<a@example.org> SIZE=200000')).toMatch(/^552 /);
    await talk.say('MAIL FROM:<a@example.org>');
    await talk.say('RCPT TO:<sales@acme.example>');
    await talk.say('DATA');
    expect(await talk.say(`${'x'.repeat(70)}\r\n`.repeat(2_000) + '.')).toMatch(/^552 /);
    await talk.say('MAIL FROM:<a@example.org>');
    await talk.say('RCPT TO:<sales@acme.example>');
    await talk.say('DATA');
    expect(await talk.say(`${mailOf({})}.`)).toMatch(/^250 /);
    talk.socket.destroy();
    expect(await email.contactsWhen(1)).toHaveLength(1);
  });

  it('knows the null sender', async () => {
    await email.deliver(mailOf({}), { from: '' });
    expect(await email.contactsWhen(1)).toMatchObject([{ flags: { autoReply: true } }]);
  });

  it('is nothing when the client hangs up in the middle', async () => {
    const talk = await Talk.greeted(email.smtpPort);
    await talk.say('MAIL FROM:<a@example.org>');
    await talk.say('RCPT TO:<sales@acme.example>');
    await talk.say('DATA');
    talk.socket.write(mailOf({}, 'half a'));
    talk.socket.destroy();
    await once(talk.socket, 'close');
    await email.deliver(mailOf({}, 'whole'));
    expect(await email.contactsWhen(1)).toMatchObject([{ text: 'whole' }]);
    expect(await email.log.dataSource.query('SELECT count(*)::int AS kept FROM email.inbound')).toEqual([{ kept: 1 }]);
  });

  it('is not held up by clients that say nothing', async () => {
    const silent = await Promise.all(
      Array.from({ length: 100 }, async (_, n) => {
        const talk = await Talk.greeted(email.smtpPort);
        if (n % 2 === 0) return talk;
        await talk.say('MAIL FROM:<a@example.org>');
        await talk.say('RCPT TO:<sales@acme.example>');
        await talk.say('DATA');
        talk.socket.write('Subject: never');
        return talk;
      }),
    );
    await email.deliver(mailOf({}));
    await email.contactsWhen(1);
    for (const { socket } of silent) socket.destroy();
  });
});

describe('mail by LMTP', () => {
  it('is answered for each recipient', async () => {
    const talk = await Talk.greeted(email.lmtpPort, 'LHLO client.example');
    await talk.say('MAIL FROM:<a@example.org>');
    expect(await talk.say('RCPT TO:<support@acme.example>')).toMatch(/^250 /);
    expect(await talk.say('RCPT TO:<nobody@acme.example>')).toMatch(/^550 /);
    expect(await talk.say('RCPT TO:<sales@acme.example>')).toMatch(/^250 /);
    await talk.say('DATA');
    expect(await talk.say(`${mailOf({})}.`)).toMatch(/^250 /);
    expect(await talk.say(null)).toMatch(/^250 /);
    talk.socket.destroy();
    expect((await email.contactsWhen(2)).map(({ accountRef }) => accountRef).sort()).toEqual(['sales', 'support@acme.example']);
  });
});

it('answers 451 while the database is away, and takes the mail when it is back', async () => {
  const url = new URL(database.url);
  const name = url.pathname.slice(1);
  url.pathname = '/postgres';
  const admin = new pg.Client({ connectionString: url.href });
  await admin.connect();
  await admin.query(`ALTER DATABASE "${name}" ALLOW_CONNECTIONS false`);
  await admin.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1`, [name]);
  const mail = mailOf({ 'Message-ID': '<patient@example.org>' });
  await expect(email.deliver(mail)).rejects.toMatchObject({ responseCode: 451 });
  await admin.query(`ALTER DATABASE "${name}" ALLOW_CONNECTIONS true`);
  await admin.end();
  await eventually(() => email.deliver(mail).then(() => true));
  expect(await email.contactsWhen(1)).toMatchObject([{ externalId: 'patient@example.org' }]);
});

it('guards its routes', async () => {
  for (const path of ['configuration', 'mailboxes']) {
    expect((await email.request('GET', `/email/v1/${path}`, undefined, null)).status).toBe(401);
    expect((await email.request('GET', `/email/v1/${path}`, undefined, await email.tokenFor('agent', 'agent'))).status).toBe(403);
  }
});
