import { chown, mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startProcess } from '@tierline/service';
import { dovecot } from '@tierline/testing';
import pg from 'pg';
import { allServices } from '../../apps/tierline/src/services.ts';
import { bareMailbox } from './bare-doors.ts';
import { median, medianOf, rate, type Benchmark } from './figure.ts';
import { configure, untilDone } from './line.ts';
import { ADMIN_TOKEN, settings } from './settings.ts';

const MAILS = 6_000;
const USER = 'support';

/** A mailbox of a real Dovecot, full of mail from new customers, until each is parsed, threaded, ticketed, queued and clocked. */
export const mail: Benchmark = async (bench) => {
  const bares: number[] = [];
  const perSecond = await medianOf(bench, 'mail', async (run) => {
    const server = await dovecot();
    const url = await bench.database(`mail${run}`);
    await fill(join(server.mailDir, USER));
    const running = await startProcess(allServices, settings(url, bench.dataDir));
    const database = new pg.Client({ connectionString: url });
    await database.connect();
    try {
      await configure(running.url);
      const start = performance.now();
      const response = await fetch(`${running.url}/email/v1/configuration`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
        body: JSON.stringify({
          mailboxes: [
            {
              address: 'support@shop.example',
              imap: { host: '127.0.0.1', port: server.imapPort, user: USER, password: server.password, tls: 'none', importSince: '2020-01-01' },
            },
          ],
        }),
      });
      if (!response.ok) throw new Error(await response.text());
      await untilDone(database, MAILS);
      return (MAILS / (performance.now() - start)) * 1000;
    } finally {
      await database.end();
      await running.stop();
      bares.push(await bareMailbox(await bench.database(`baremail${run}`), { port: server.imapPort, user: USER, password: server.password }, MAILS));
      await server.stop();
    }
  });
  return [rate('mail in a Dovecot mailbox → ticketed', perSecond, 700, median(bares))];
};

/** Writes a maildir by hand: delivering by LMTP would take a minute. */
async function fill(maildir: string): Promise<void> {
  const { uid, gid } = await stat(join(maildir, '../..'));
  for (const folder of ['', 'cur', 'new', 'tmp']) {
    await mkdir(join(maildir, folder), { recursive: true });
    await chown(join(maildir, folder), uid, gid);
  }
  await chown(join(maildir, '..'), uid, gid);
  for (let n = 0; n < MAILS; n++) {
    const file = join(maildir, 'new', `${1_700_000_000 + n}.M${n}P1.bench`);
    await writeFile(file, mailOf(n));
    await chown(file, uid, gid);
  }
}

const mailOf = (n: number): string =>
  [
    `From: Customer ${n} <customer${n}@example.net>`,
    'To: support@shop.example',
    'Subject: Router keeps crashing',
    `Message-ID: <${n}.bench@example.net>`,
    `Date: ${new Date().toUTCString()}`,
    'MIME-Version: 1.0',
    'Content-Type: multipart/alternative; boundary=b',
    '',
    '--b',
    'Content-Type: text/plain; charset=utf-8',
    '',
    `Since the update my router shows an error every evening and the login page is broken. ${'I have tried to restart it. '.repeat(20)}`,
    '',
    '--b',
    'Content-Type: text/html; charset=utf-8',
    '',
    `<html><body><p>Since the update my router shows an <b>error</b> every evening.</p>${'<p>I have tried to restart it.</p>'.repeat(20)}</body></html>`,
    '',
    '--b--',
    '',
  ].join('\r\n');
