import { randomUUID } from 'node:crypto';
import { Module } from '@nestjs/common';
import { ContactReceived, type Contact } from '@tierline/events';
import { ChannelModule, channelMigrations, Intake, type ChannelAdapter, type RawItem } from '@tierline/channel';
import { startProcess, type RunningProcess, type ServiceDefinition } from '@tierline/service';
import pg from 'pg';
import { z } from 'zod';
import { contactOf } from './contacts.ts';
import { median, percentile, rate, type Benchmark } from './figure.ts';
import { settings } from './settings.ts';

const CLIENTS = 64;
const SECONDS = 5;

/** As small as an adapter can be: the payload is the contact. */
const adapter: ChannelAdapter = {
  channel: 'portal',
  version: '1',
  normalize: (item, context) => Promise.resolve({ ...(JSON.parse(item.body.toString('utf8')) as Contact), id: context.contactId, raw: context.raw }),
};

@Module({ imports: [ChannelModule.forService({ service: 'bench', normalize: 'inline', settings: z.object({}), adapter: () => adapter })] })
class IntakeModule {}

const service: ServiceDefinition = { name: 'bench', module: IntakeModule, entities: [], migrations: [...channelMigrations('bench')] };

const itemOf = (n: number): RawItem => {
  const contact = contactOf(n);
  return {
    accountRef: 'bench',
    dedupeKey: contact.dedupeKey,
    mediaType: 'application/json',
    body: Buffer.from(JSON.stringify(contact)),
    meta: {},
    receivedAt: new Date(),
  };
};

/** Intake at its door: 64 callers, each waits for its contact to be durable before it comes with the next. */
export const intake: Benchmark = async (bench) => {
  const runs: { perSecond: number; p50: number; p99: number }[] = [];
  const bares: number[] = [];
  for (let run = 0; run < bench.runs; run++) {
    const url = await bench.database(`intake${run}`);
    const running = await startProcess([service], settings(url, bench.dataDir));
    await drive(running, 1);
    runs.push(await drive(running, SECONDS));
    await running.stop();
    bares.push(await bareLoop(url));
    bench.progress(`intake: run ${run + 1} of ${bench.runs}, ${Math.round(runs.at(-1)!.perSecond)}/s, p99 ${runs.at(-1)!.p99.toFixed(1)} ms`);
  }
  const p99Ms = median(runs.map(({ p99 }) => p99));
  const figure = rate('intake, durable acknowledgement', median(runs.map(({ perSecond }) => perSecond)), 15_000, median(bares), {
    p50Ms: median(runs.map(({ p50 }) => p50)),
    p99Ms,
  });
  return [{ ...figure, goal: `${figure.goal}, p99 ≤ 15 ms`, met: figure.met && p99Ms <= 15 }];
};

async function drive({ app }: RunningProcess, seconds: number): Promise<{ perSecond: number; p50: number; p99: number }> {
  const door = app.get(Intake, { strict: false });
  const latencies: number[] = [];
  const start = performance.now();
  const end = start + seconds * 1000;
  const client = async (): Promise<void> => {
    while (performance.now() < end) {
      const item = itemOf(latencies.length);
      const sentAt = performance.now();
      await door.receive([item]);
      latencies.push(performance.now() - sentAt);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  const perSecond = (latencies.length / (performance.now() - start)) * 1000;
  latencies.sort((a, b) => a - b);
  return { perSecond, p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99) };
}

/** The same rows by hand, for 64 callers at a time: raw payload and event, in one statement each, committed. */
async function bareLoop(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(
    'CREATE TABLE bare_raw (id uuid PRIMARY KEY, dedupe_key text UNIQUE, raw bytea); CREATE TABLE bare_event (pos bigint PRIMARY KEY, key text, payload text)',
  );
  let handled = 0;
  const start = performance.now();
  while (performance.now() < start + SECONDS * 1000) {
    const contacts = Array.from({ length: CLIENTS }, (_, n) => contactOf(n));
    const payloads = contacts.map((contact) => JSON.stringify({ specversion: '1.0', id: randomUUID(), type: ContactReceived.type, data: contact }));
    await client.query('BEGIN');
    await client.query({
      name: 'raw',
      text: 'INSERT INTO bare_raw SELECT * FROM unnest($1::uuid[], $2::text[], $3::bytea[])',
      values: [contacts.map(({ id }) => id), contacts.map(({ dedupeKey }) => dedupeKey), contacts.map((contact) => Buffer.from(JSON.stringify(contact)))],
    });
    await client.query({
      name: 'event',
      text: 'INSERT INTO bare_event SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[])',
      values: [contacts.map((_, n) => handled + n), contacts.map(({ conversationKey }) => conversationKey), payloads],
    });
    await client.query('COMMIT');
    handled += contacts.length;
  }
  const perSecond = (handled / (performance.now() - start)) * 1000;
  await client.end();
  return perSecond;
}
