import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { describeWith, dovecot, eventually, freshDatabase, testFolder, type FreshDatabase } from '@tierline/testing';
import pg from 'pg';
import { mailOf, startEmail, type EmailService } from './email-service.ts';

const MAILS = 600;
const KILLS = 3;
/** A process starts in seconds, or in half a minute where everything else runs as well. */
const WITHIN_MS = 90_000;
const MAILBOXES = ['one@acme.example', 'two@acme.example'];
const TIERLINE_SECRET = randomBytes(32).toString('hex');

await describeWith('mail while everything is killed', dovecot, (server) => {
  let database: FreshDatabase;
  let child: ChildProcess | undefined;
  let dataDir: string;

  beforeAll(async () => {
    database = await freshDatabase('email_crash');
    dataDir = await testFolder('email-crash');
  });
  afterAll(async () => {
    child?.kill('SIGKILL');
    await server.stop();
    await database.drop();
  });

  /** The service as a process of its own. */
  function startProcess(): ChildProcess {
    const root = join(import.meta.dirname, '../../..');
    const env = { ...process.env, DATABASE_URL: database.url, TIERLINE_SECRET, TIERLINE_DATA: dataDir, PORT: '0', SMTP_PORT: '', LMTP_PORT: '' };
    return spawn(process.execPath, ['--import', './tools/ts.mjs', 'apps/email/src/main.ts'], { cwd: root, env, stdio: 'ignore' });
  }

  async function withService<T>(work: (email: EmailService) => Promise<T>): Promise<T> {
    const email = await startEmail({ database, env: { TIERLINE_SECRET } });
    return work(email).finally(() => email.stop());
  }

  async function kept(): Promise<number> {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    const { rows } = await client.query<{ kept: number }>('SELECT count(*)::int AS kept FROM email.inbound').finally(() => client.end());
    return rows[0]!.kept;
  }

  it(
    'is neither lost nor doubled',
    async () => {
      await withService((email) =>
        email.configure(
          ...MAILBOXES.map((user) => ({
            address: user,
            imap: { host: '127.0.0.1', port: server.imapPort, user, password: server.password, tls: 'none' as const, importSince: '2000-01-01' },
          })),
        ),
      );

      let delivered = 0;
      const deliver = async (): Promise<void> => {
        for (let n = delivered++; n < MAILS; n = delivered++) {
          await server.deliver(MAILBOXES[n % 2]!, mailOf({ 'Message-ID': `<${n}@example.org>`, 'In-Reply-To': n % 10 === 9 ? `<${n - 2}@example.org>` : '' }));
        }
      };
      child = startProcess();
      const delivering = Promise.all([deliver(), deliver()]);
      for (let kill = 0; kill < KILLS; kill++) {
        // Somewhere in the middle of reading.
        const before = await kept();
        await eventually(async () => (await kept()) > Math.min(before, MAILS - 1), { timeoutMs: WITHIN_MS });
        await server.killImapProcesses();
        child.kill('SIGKILL');
        await once(child, 'exit');
        child = startProcess();
      }
      await delivering;
      await eventually(async () => expect(await kept()).toBe(MAILS), { timeoutMs: WITHIN_MS });
      child.kill('SIGKILL');
      await once(child, 'exit');

      const contacts = await withService((email) => email.contactsWhen(MAILS));
      expect(contacts).toHaveLength(MAILS);
      expect(new Set(contacts.map(({ accountRef, externalId }) => `${accountRef} ${externalId}`)).size).toBe(MAILS);
      const keyOf = new Map(contacts.map(({ externalId, conversationKey }) => [externalId, conversationKey]));
      for (let n = 9; n < MAILS; n += 10) expect(keyOf.get(`${n}@example.org`)).toBe(keyOf.get(`${n - 2}@example.org`));
    },
    (KILLS + 3) * WITHIN_MS,
  );
});
