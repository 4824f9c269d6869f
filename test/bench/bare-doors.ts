import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Contact } from '@tierline/events';
import { ImapFlow } from 'imapflow';
import { simpleParser } from 'mailparser';
import { BareLine } from './bare-line.ts';
import { contactOf } from './contacts.ts';
import { percentile } from './figure.ts';

const MAX_BATCH = 500;

/** A bare line with a door: what comes while a batch is on its way shares the next one. */
export interface BareDoor {
  /** Resolves when the contact has come to the end of the line. */
  take(contact: Contact): Promise<void>;
  close(): Promise<void>;
}

export async function bareDoor(url: string): Promise<BareDoor> {
  const line = await BareLine.open(url);
  const waiting: { contact: Contact; done: () => void }[] = [];
  let running: Promise<void> | undefined;
  const work = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting.splice(0, MAX_BATCH);
      await line.run(batch.map(({ contact }) => contact));
      for (const { done } of batch) done();
    }
    running = undefined;
  };
  return {
    take: (contact) =>
      new Promise((done) => {
        waiting.push({ contact, done });
        // After what else is ready in this turn of the loop.
        running ??= Promise.resolve().then(work);
      }),
    async close() {
      await running;
      await line.close();
    },
  };
}

/** How long contacts take through a bare line at an even pace, in ms. */
export async function barePaced(url: string, perSecond: number, seconds: number): Promise<{ p50: number; p99: number }> {
  const door = await bareDoor(url);
  const latencies: number[] = [];
  const pending: Promise<void>[] = [];
  const total = perSecond * seconds;
  const start = performance.now();
  for (let sent = 0; sent < total; await sleep(1)) {
    for (const owed = ((performance.now() - start) / 1000) * perSecond; sent < Math.min(owed, total); sent++) {
      const at = performance.now();
      pending.push(door.take(contactOf(sent)).then(() => void latencies.push(performance.now() - at)));
    }
  }
  await Promise.all(pending);
  await door.close();
  latencies.sort((a, b) => a - b);
  return { p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99) };
}

/** The intake API by hand: node:http, one JSON.parse, the line, 202. */
export async function bareApi(url: string): Promise<{ url: string; close(): Promise<void> }> {
  const door = await bareDoor(url);
  let contacts = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .on('end', () => {
        const { from, subject, text } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { from: { value: string }; subject: string; text: string };
        const contact = contactOf(contacts++);
        const sent = { ...contact, from: { ...contact.from, value: from.value, normalized: from.value }, subject, text };
        void door.take(sent).then(() => response.writeHead(202, { 'content-type': 'application/json' }).end(JSON.stringify({ contactId: sent.id })));
      });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await door.close();
    },
  };
}

/** A mailbox by hand: imapflow fetches, mailparser parses, the line takes 500 at a time. Mails a second. */
export async function bareMailbox(url: string, imap: { port: number; user: string; password: string }, mails: number): Promise<number> {
  const line = await BareLine.open(url);
  const client = new ImapFlow({ host: '127.0.0.1', port: imap.port, secure: false, auth: { user: imap.user, pass: imap.password }, logger: false });
  await client.connect();
  await client.mailboxOpen('INBOX', { readOnly: true });
  const start = performance.now();
  let batch: Contact[] = [];
  let done = 0;
  for await (const { source } of client.fetch('1:*', { source: true, uid: true })) {
    const { from, subject, text } = await simpleParser(source!);
    const address = from!.value[0]!.address!;
    const contact = contactOf(done++);
    batch.push({ ...contact, from: { ...contact.from, value: address, normalized: address }, subject: subject!, text: text! });
    if (batch.length < MAX_BATCH && done < mails) continue;
    await line.run(batch);
    batch = [];
  }
  const perSecond = (done / (performance.now() - start)) * 1000;
  await client.logout();
  await line.close();
  return perSecond;
}
