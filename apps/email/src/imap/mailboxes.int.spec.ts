import { chmod, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { describeWith, dovecot, eventually } from '@tierline/testing';
import { ImapFlow } from 'imapflow';
import { mailOf, startEmail, type EmailService } from '../../test/email-service.ts';
import type { Mailbox } from '../configuration.ts';
import type { MailboxState } from './mailbox.service.ts';

let users = 0;

await describeWith('mailboxes on a real Dovecot', dovecot, (server) => {
  let email: EmailService;
  const mailboxes = new Map<string, Parameters<EmailService['configure']>[0]>();

  beforeAll(async () => {
    email = await startEmail({ maxBytes: 1_000_000 });
  });
  afterAll(async () => {
    await email.stop();
    await server.stop();
  });

  const newUser = (): string => `user${++users}@acme.example`;

  /** Has a mailbox read, beside those that are. */
  async function read(user: string, imap: Partial<NonNullable<Mailbox['imap']>> = {}): Promise<void> {
    const access = { host: '127.0.0.1', port: server.imapPort, user, password: server.password, tls: 'none' as const };
    mailboxes.set(user, { address: user, imap: { ...access, ...imap } });
    await email.configure(...mailboxes.values());
  }

  async function stateOf(user: string): Promise<MailboxState | undefined> {
    return ((await email.request('GET', '/email/v1/mailboxes')).body as MailboxState[]).find(({ ref }) => ref === user);
  }

  /** Waits until all that is in the mailbox has been read. */
  async function settled(user: string): Promise<void> {
    await eventually(async () => expect(await stateOf(user)).toMatchObject({ state: 'idle' }));
    await eventually(async () => expect(await email.log.dataSource.query(`SELECT 1 FROM email.inbound WHERE state = 'received'`)).toEqual([]));
  }

  async function contactsOf(user: string) {
    return (await email.contacts()).filter(({ accountRef }) => accountRef === user);
  }

  async function contactsWhen(user: string, count: number) {
    return eventually(
      async () => {
        const found = await contactsOf(user);
        if (found.length < count) throw new Error(`${found.length} contacts of ${user}`);
        return found;
      },
      { timeoutMs: 40_000 },
    );
  }

  async function open(user: string): Promise<ImapFlow> {
    const client = new ImapFlow({ host: '127.0.0.1', port: server.imapPort, secure: false, logger: false, auth: { user, pass: server.password } });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  /** Breaks a mail on the server's disk. */
  async function makeUnreadable(user: string, messageId: string): Promise<void> {
    const folder = join(server.mailDir, user, 'new');
    for (const file of await readdir(folder)) {
      const path = join(folder, file);
      if ((await readFile(path, 'utf8')).includes(messageId)) await chmod(path, 0);
    }
  }

  it('leaves what was there before, takes what comes, and changes nothing in the mailbox', async () => {
    const user = newUser();
    await server.deliver(user, mailOf({ 'Message-ID': '<before@example.org>' }));
    await read(user);
    await settled(user);
    await server.deliver(user, mailOf({ 'Message-ID': '<after@example.org>' }));
    expect((await contactsWhen(user, 1)).map(({ externalId }) => externalId)).toEqual(['after@example.org']);
    const client = await open(user);
    await client.mailboxOpen('INBOX');
    const flags = await client.fetchAll('1:*', { flags: true });
    // Not even \Recent is taken away.
    expect(flags.map((mail) => [...mail.flags!])).toEqual([['\\Recent'], ['\\Recent']]);
    await client.logout();
  });

  it('takes mail older than any window when it is asked for it, judged by when it came', async () => {
    const user = newUser();
    const client = await open(user);
    await client.append('INBOX', mailOf({ 'Message-ID': '<y2k@example.org>', Date: 'Sat, 1 Jan 2000 12:00:00 +0000' }), [], new Date('2000-01-01T12:01:00Z'));
    await client.append('INBOX', mailOf({ 'Message-ID': '<before@example.org>' }), [], new Date('1998-01-01T12:00:00Z'));
    await client.logout();
    await read(user, { importSince: '1999-06-01' });
    const [contact] = await contactsWhen(user, 1);
    expect(contact).toMatchObject({ externalId: 'y2k@example.org', occurredAt: '2000-01-01T12:00:00.000Z', occurredAtSource: 'header' });
    await server.deliver(user, mailOf({ 'Message-ID': '<now@example.org>' }));
    expect((await contactsWhen(user, 2)).map(({ externalId }) => externalId).sort()).toEqual(['now@example.org', 'y2k@example.org']);
  });

  it('keeps 200 answers that are read in the same poll as their parents with them', async () => {
    const user = newUser();
    const all = Array.from({ length: 200 }, (_, n) => [
      mailOf({ 'Message-ID': `<q${n}@example.org>`, Subject: `Question ${n}` }),
      mailOf({ 'Message-ID': `<a${n}@example.org>`, 'In-Reply-To': `<q${n}@example.org>`, Subject: `Re: Question ${n}` }),
    ]).flat();
    await Promise.all(all.map((mail) => server.deliver(user, mail)));
    await read(user, { importSince: '2000-01-01' });
    const contacts = await contactsWhen(user, 400);
    const keyOf = new Map(contacts.map(({ externalId, conversationKey }) => [externalId, conversationKey]));
    expect(new Set(keyOf.values()).size).toBe(200);
    for (let n = 0; n < 200; n++) expect(keyOf.get(`a${n}@example.org`)).toBe(keyOf.get(`q${n}@example.org`));
  });

  it('makes two contacts of the same mail in two mailboxes, and one of the same mail twice in one', async () => {
    const [one, other] = [newUser(), newUser()];
    await read(one);
    await read(other);
    await Promise.all([settled(one), settled(other)]);
    const mail = mailOf({ 'Message-ID': '<both@example.org>' });
    await Promise.all([server.deliver(one, mail), server.deliver(other, mail)]);
    await Promise.all([contactsWhen(one, 1), contactsWhen(other, 1)]);

    const client = await open(one);
    await client.mailboxCreate('Elsewhere');
    await client.mailboxOpen('INBOX');
    await client.messageMove('1', 'Elsewhere', { uid: true });
    await client.mailboxOpen('Elsewhere');
    await client.messageMove('1:*', 'INBOX');
    await client.logout();
    await eventually(async () => {
      const rows = await email.log.dataSource.query<object[]>('SELECT uid::int, duplicate FROM email.imap_message WHERE account_ref = $1 ORDER BY uid', [one]);
      expect(rows).toEqual([
        { uid: 1, duplicate: false },
        { uid: 2, duplicate: true },
      ]);
    });
    expect(await contactsOf(one)).toHaveLength(1);
  });

  it('takes up where it was when the server kills its sessions', async () => {
    const user = newUser();
    await read(user);
    await settled(user);
    expect(await server.killImapProcesses()).toBeGreaterThan(0);
    await server.deliver(user, mailOf({ 'Message-ID': '<afterwards@example.org>' }));
    expect(await contactsWhen(user, 1)).toMatchObject([{ externalId: 'afterwards@example.org' }]);
  });

  it('reads a folder that was made anew, and takes only what it does not know', async () => {
    const user = newUser();
    const mails = [1, 2, 3].map((n) => mailOf({ 'Message-ID': `<${n}@example.org>` }));
    const client = await open(user);
    await client.mailboxCreate('Desk');
    await read(user, { folder: 'Desk' });
    await settled(user);
    await client.append('Desk', mails[0]!);
    await client.append('Desk', mails[1]!);
    await contactsWhen(user, 2);

    await client.mailboxDelete('Desk');
    await client.mailboxCreate('Desk');
    for (const mail of [mails[2]!, mails[1]!, mails[0]!]) await client.append('Desk', mail);
    await client.logout();
    // Its own session still has the folder that is gone.
    await server.killImapProcesses();
    expect((await contactsWhen(user, 3)).map(({ externalId }) => externalId).sort()).toEqual(['1@example.org', '2@example.org', '3@example.org']);
    await settled(user);
    expect(await contactsOf(user)).toHaveLength(3);
    const cursors = await email.log.dataSource.query<object[]>('SELECT last_uid::int FROM email.imap_cursor WHERE account_ref = $1 ORDER BY uidvalidity', [
      user,
    ]);
    expect(cursors).toEqual([{ last_uid: 2 }, { last_uid: 3 }]);
  });

  it('takes large mails whole', async () => {
    const user = newUser();
    await read(user);
    await settled(user);
    const body = `${'x'.repeat(70)}\r\n`.repeat(5_000);
    for (const [id, text] of [
      ['small', ''],
      ['large', body],
      ['last', ''],
    ])
      await server.deliver(user, mailOf({ 'Message-ID': `<${id}@example.org>` }, text));
    const contacts = await contactsWhen(user, 3);
    const large = contacts.find(({ externalId }) => externalId === 'large@example.org')!;
    expect(large.raw.bytes).toBeGreaterThan(body.length);
    // Its text is too much for an event, which is said.
    expect(large).toMatchObject({ flags: { truncated: true }, text: expect.stringMatching(/^x{70}/) });
  });

  it('keeps the beginning of a mail that is too large, and what comes after it', async () => {
    const user = newUser();
    await read(user);
    await settled(user);
    await server.deliver(user, mailOf({ 'Message-ID': '<large@example.org>' }, `${'x'.repeat(70)}\r\n`.repeat(40_000)));
    await server.deliver(user, mailOf({ 'Message-ID': '<small@example.org>' }));
    const contacts = await contactsWhen(user, 2);
    expect(contacts.find(({ externalId }) => externalId === 'large@example.org')).toMatchObject({ flags: { truncated: true }, raw: { bytes: 256 * 1024 } });
  });

  it('passes a mail that the server cannot hand out, with a contact that stands for it', async () => {
    const user = newUser();
    for (const id of ['first', 'poison', 'last']) await server.deliver(user, mailOf({ 'Message-ID': `<${id}@example.org>` }));
    await makeUnreadable(user, '<poison@example.org>');
    await read(user, { importSince: '2000-01-01' });
    const contacts = await contactsWhen(user, 3);
    expect(contacts.map(({ externalId, flags }) => flags.unparsable ?? externalId).sort()).toEqual(['first@example.org', 'last@example.org', true]);
  });

  it('stops at a wrong password, says so, and goes on when it is put right', async () => {
    const user = newUser();
    await read(user, { password: 'wrong' });
    await eventually(async () => expect(await stateOf(user)).toMatchObject({ state: 'refused', reason: expect.stringMatching(/authentication/i) }));
    await read(user);
    await settled(user);
  });

  it('shows its settings without secrets, and keeps a secret that is sent back as shown', async () => {
    const { body } = await email.request('GET', '/email/v1/configuration');
    expect(JSON.stringify(body)).not.toContain(server.password);
    expect(body.mailboxes[0].imap.password).toBe('set');
    expect(await email.request('PUT', '/email/v1/configuration', body)).toMatchObject({ status: 200, body: { changed: 0 } });
  });

  it('finds in its sweep what was passed over', async () => {
    const user = newUser();
    await read(user);
    await settled(user);
    await server.deliver(user, mailOf({ 'Message-ID': '<seen@example.org>' }));
    await contactsWhen(user, 1);
    // As a fault would leave it: behind the cursor, but never taken.
    mailboxes.delete(user);
    await email.configure(...mailboxes.values());
    await server.deliver(user, mailOf({ 'Message-ID': '<missed@example.org>' }));
    await email.log.dataSource.query('UPDATE email.imap_cursor SET last_uid = 2 WHERE account_ref = $1', [user]);
    await read(user);
    expect((await contactsWhen(user, 2)).map(({ externalId }) => externalId).sort()).toEqual(['missed@example.org', 'seen@example.org']);
    expect(await stateOf(user)).toMatchObject({ swept: 1 });
  });
});

describe('a mailbox that cannot be reached', () => {
  it('waits, and keeps nothing else from starting', async () => {
    const email = await startEmail();
    await email.configure({ address: 'away@acme.example', imap: { host: '127.0.0.1', port: 1, user: 'u', password: 'p', tls: 'none' } });
    await eventually(async () => expect((await email.request('GET', '/email/v1/mailboxes')).body).toMatchObject([{ state: 'failing' }]));
    expect((await email.request('GET', '/ready')).status).toBe(200);
    await email.stop();
  });
});
