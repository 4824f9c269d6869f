import { Controller, Module } from '@nestjs/common';
import { ContactReceived } from '@tierline/events';
import { BUCKETS, Consumes, EventLog, On, type LogTransaction } from '@tierline/log';
import { startProcess, type ServiceDefinition } from '@tierline/service';
import pg from 'pg';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { contactOf } from './contacts.ts';
import { medianOf, rate, type Bench, type Benchmark } from './figure.ts';
import { settings } from './settings.ts';

const EVENTS = 60_000;
const BATCH = 500;
const EFFECT = 'INSERT INTO bench.effect (id, sender) SELECT * FROM unnest($1::uuid[], $2::text[])';

/** What the handler has seen, and when the last event was committed. */
let seen = 0;
let firstAt = 0;
let finished: (() => void) | undefined;

/** The least that a consumer can do and still be one: a row for each event. */
@Controller()
@Consumes('bench')
class BenchConsumer {
  @On(ContactReceived)
  async onContact(events: ContactReceived[], tx: LogTransaction): Promise<void> {
    firstAt ||= performance.now();
    await tx.query(EFFECT, [events.map(({ data }) => data.id), events.map(({ data }) => data.from.normalized)]);
    tx.committed.push(() => {
      seen += events.length;
      if (seen >= EVENTS) finished?.();
    });
  }
}

class CreateBench implements MigrationInterface {
  readonly name = 'CreateBench1763769900000';
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE SCHEMA bench; CREATE TABLE bench.effect (id uuid PRIMARY KEY, sender text NOT NULL)');
  }
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP SCHEMA bench CASCADE');
  }
}

@Module({})
class WriterModule {}
@Module({ controllers: [BenchConsumer] })
class ReaderModule {}

const service = (module: ServiceDefinition['module']): ServiceDefinition => ({ name: 'bench', module, entities: [], migrations: [CreateBench] });

/** One consumer stage: events read from the log, a row for each, the position moved. The bare loop does the same statements by hand. */
export const stage: Benchmark = async (bench) => {
  const bares: number[] = [];
  const ours = await medianOf(bench, 'one consumer stage', async (run) => {
    const url = await bench.database(`stage${run}`);
    await fill(url, bench);
    seen = firstAt = 0;
    const done = new Promise<void>((resolve) => (finished = resolve));
    const running = await startProcess([service(ReaderModule)], settings(url, bench.dataDir));
    await done;
    const rateOfOurs = (EVENTS / (performance.now() - firstAt)) * 1000;
    await running.stop();
    bares.push(await bareLoop(url));
    return rateOfOurs;
  });
  return [rate('one consumer stage', ours, 20_000, bares.sort((a, b) => a - b)[bares.length >> 1])];
};

/** Fills the log while nobody reads: the reader must not be measured against the writer. */
async function fill(url: string, bench: Bench): Promise<void> {
  const running = await startProcess([service(WriterModule)], settings(url, bench.dataDir));
  const log = running.app.get(EventLog);
  for (let at = 0; at < EVENTS; at += BATCH) {
    await log.transaction('bench', (tx) => {
      for (let n = at; n < at + BATCH; n++) {
        const contact = contactOf(n);
        tx.append(ContactReceived, contact.conversationKey, contact);
      }
      return Promise.resolve();
    });
  }
  await running.stop();
}

/** Reads 500, parses them, inserts, moves a position row, commits: what must be durable, and nothing else. */
async function bareLoop(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('TRUNCATE bench.effect; CREATE TABLE bench.position (bucket int PRIMARY KEY, pos bigint)');
  await client.query('INSERT INTO bench.position SELECT b, 0 FROM generate_series(0, $1::int - 1) b', [BUCKETS]);
  const positions = new Array<number>(BUCKETS).fill(0);
  const start = performance.now();
  for (let handled = 0, bucket = 0; handled < EVENTS; bucket = (bucket + 1) % BUCKETS) {
    const { rows } = await client.query<{ pos: string; payload: string }>({
      name: 'read',
      text: `SELECT pos, payload FROM bench_log.event_log WHERE topic = 'contact' AND bucket = $1 AND pos > $2 ORDER BY pos LIMIT ${BATCH}`,
      values: [bucket, positions[bucket]],
    });
    if (rows.length === 0) continue;
    const contacts = rows.map(({ payload }) => (JSON.parse(payload) as { data: { id: string; from: { normalized: string } } }).data);
    positions[bucket] = Number(rows.at(-1)!.pos);
    await client.query('BEGIN');
    await client.query({ name: 'move', text: 'UPDATE bench.position SET pos = $2 WHERE bucket = $1', values: [bucket, positions[bucket]] });
    await client.query({ name: 'effect', text: EFFECT, values: [contacts.map(({ id }) => id), contacts.map(({ from }) => from.normalized)] });
    await client.query('COMMIT');
    handled += rows.length;
  }
  const perSecond = (EVENTS / (performance.now() - start)) * 1000;
  await client.end();
  return perSecond;
}
