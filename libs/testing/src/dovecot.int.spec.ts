import { afterAll, expect, it } from '@jest/globals';
import { ImapFlow } from 'imapflow';
import { describeWith } from './describe-with.ts';
import { dovecot } from './dovecot.ts';
import { eventually } from './eventually.ts';

await describeWith('a real Dovecot', dovecot, (server) => {
  afterAll(() => server.stop());

  const open = async (user: string) => {
    const client = new ImapFlow({
      host: '127.0.0.1',
      port: server.imapPort,
      secure: false,
      logger: false,
      auth: { user, pass: server.password },
    });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  };

  it('keeps a delivered mail as it is, in a mailbox of its own', async () => {
    const mail = 'Subject: one\r\n\r\nfirst line\r\n';
    await server.deliver('ann@example.org', mail);
    const ann = await open('ann@example.org');
    const bob = await open('bob@example.org');
    await ann.mailboxOpen('INBOX');
    const message = await ann.fetchOne('*', { source: true });
    expect(message && message.source?.toString()).toContain(mail);
    expect(await bob.status('INBOX', { messages: true })).toMatchObject({ messages: 0 });
    await Promise.all([ann.logout(), bob.logout()]);
  });

  it('tells an idle session of a new mail', async () => {
    const client = await open('carl@example.org');
    await client.mailboxOpen('INBOX');
    const counts: number[] = [];
    client.on('exists', ({ count }: { count: number }) => counts.push(count));
    void client.idle();
    await server.deliver('carl@example.org', 'Subject: two\r\n\r\n');
    await eventually(() => expect(counts).toEqual([1]));
    await client.logout();
  });

  it('drops its sessions when they are killed, and takes new ones', async () => {
    const client = await open('dora@example.org');
    const closed = new Promise((resolve) => client.once('close', resolve));
    expect(await server.killImapProcesses()).toBeGreaterThan(0);
    await closed;
    await (await open('dora@example.org')).logout();
  });
});
