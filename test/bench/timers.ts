import { Module } from '@nestjs/common';
import { newId, OfferExpired } from '@tierline/events';
import { EventLog } from '@tierline/log';
import { startProcess, type RunningProcess, type ServiceDefinition } from '@tierline/service';
import { Timers } from '@tierline/timers';
import pg from 'pg';
import { latency, median, percentile, rate, type Bench, type Benchmark } from './figure.ts';
import { settings } from './settings.ts';

const PENDING = 2_000_000;
const ARM = 50_000;
const FIRE = 100_000;
const BATCH = 500;
const DUE_PER_SECOND = 1_000;
const LATENESS_SECONDS = 10;

@Module({})
class EmptyModule {}
const service: ServiceDefinition = { name: 'bench', module: EmptyModule, entities: [], migrations: [] };

/** Timers beside two million that are not due yet. */
export const timers: Benchmark = async (bench) => {
  const url = await bench.database('timers');
  const running = await startProcess([service], settings(url, bench.dataDir));
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    bench.progress(`timers: making ${PENDING.toLocaleString('en-US')} pending`);
    await client.query(
      `INSERT INTO bench_log.timer (name, due_at, type, version, key, data)
       SELECT 'pending:' || n, now() + interval '1 day' + n * interval '1 ms', 'offer.expired', 1, 'pool', '{}' FROM generate_series(1, $1::int) n`,
      [PENDING],
    );
    await client.query('VACUUM ANALYZE bench_log.timer');
    const arms: number[] = [];
    const bareArms: number[] = [];
    const fires: number[] = [];
    const bareFires: number[] = [];
    for (let run = 0; run < bench.runs; run++) {
      arms.push(await arm(running, run));
      bareArms.push(await bareArm(client, run));
      fires.push(await fire(running, client));
      bareFires.push(await bareFire(client));
      bench.progress(`timers: run ${run + 1} of ${bench.runs}, armed ${Math.round(arms.at(-1)!)}/s, fired ${Math.round(fires.at(-1)!)}/s`);
    }
    return [
      rate('timers armed, 2 M pending', median(arms), 15_000, median(bareArms)),
      rate('timers fired, 2 M pending', median(fires), 20_000, median(bareFires)),
      await lateness(running, client, bench),
    ];
  } finally {
    await client.end();
    await running.stop();
  }
};

async function arm({ app }: RunningProcess, run: number): Promise<number> {
  const log = app.get(EventLog);
  const timer = app.get(Timers);
  const dueAt = new Date(Date.now() + 3_600_000);
  const start = performance.now();
  for (let at = 0; at < ARM; at += BATCH) {
    await log.transaction('bench', (tx) => {
      for (let n = at; n < at + BATCH; n++) timer.arm(tx, { name: `armed:${run}:${n}`, dueAt, definition: OfferExpired, key: `pool-${n}`, data: expired() });
      return Promise.resolve();
    });
  }
  return (ARM / (performance.now() - start)) * 1000;
}

async function bareArm(client: pg.Client, run: number): Promise<number> {
  const dueAt = new Date(Date.now() + 3_600_000);
  const start = performance.now();
  for (let at = 0; at < ARM; at += BATCH) {
    const rows = Array.from({ length: BATCH }, (_, n) => ({ name: `bare:${run}:${at + n}`, key: `pool-${n}`, data: JSON.stringify(expired()) }));
    await client.query({
      name: 'bare-arm',
      text: `INSERT INTO bench_log.timer (name, due_at, type, version, key, data) SELECT name, $2, 'offer.expired', 1, key, data FROM unnest($1::text[], $3::text[], $4::text[]) AS t(name, key, data)`,
      values: [rows.map(({ name }) => name), dueAt, rows.map(({ key }) => key), rows.map(({ data }) => data)],
    });
  }
  return (ARM / (performance.now() - start)) * 1000;
}

const DUE = `INSERT INTO bench_log.timer (name, due_at, type, version, key, data)
  SELECT 'due:' || n, $1, 'offer.expired', 1, 'pool-' || n, $2 FROM generate_series(1, ${FIRE}) n`;

async function fire(running: RunningProcess, client: pg.Client): Promise<number> {
  const fired = async (): Promise<number> => {
    const { rows } = await client.query<{ sum: string | null }>(`SELECT sum(next - 1) FROM bench_log.log_head WHERE topic = 'work'`);
    return Number(rows[0]!.sum);
  };
  const before = await fired();
  // All become due at one instant, two seconds ahead: the worker must not be measured against the inserts.
  const dueAt = new Date(Date.now() + 2_000);
  await client.query(DUE, [dueAt, JSON.stringify(expired())]);
  await client.query('ANALYZE bench_log.timer');
  while (Date.now() < dueAt.getTime()) await pause(1);
  const start = performance.now();
  while ((await fired()) < before + FIRE) await pause(5);
  void running;
  return (FIRE / (performance.now() - start)) * 1000;
}

async function bareFire(client: pg.Client): Promise<number> {
  await client.query(
    'CREATE TABLE IF NOT EXISTS bench_event (key text, payload text); CREATE TABLE IF NOT EXISTS bare_timer (LIKE bench_log.timer INCLUDING ALL)',
  );
  await client.query('TRUNCATE bare_timer');
  await client.query(DUE.replace('bench_log.timer', 'bare_timer'), [new Date(), JSON.stringify(expired())]);
  await client.query('ANALYZE bare_timer');
  const start = performance.now();
  for (let left = true; left;) {
    const { rowCount } = await client.query({
      name: 'bare-fire',
      text: `WITH due AS (SELECT name FROM bare_timer WHERE due_at <= now() ORDER BY due_at, name LIMIT ${BATCH} FOR UPDATE SKIP LOCKED),
        gone AS (DELETE FROM bare_timer t USING due WHERE t.name = due.name RETURNING t.key, t.data) INSERT INTO bench_event SELECT key, data FROM gone`,
    });
    left = rowCount !== 0;
  }
  return (FIRE / (performance.now() - start)) * 1000;
}

async function lateness(running: RunningProcess, client: pg.Client, bench: Bench): Promise<ReturnType<typeof latency>> {
  const perRun: { p50: number; p99: number }[] = [];
  for (let run = 0; run < bench.runs; run++) {
    await client.query(
      `INSERT INTO bench_log.timer (name, due_at, type, version, key, data)
       SELECT 'late:' || n, now() + interval '1 s' + n * interval '1 ms' * $2, 'offer.expired', 1, $3 || n, $1 FROM generate_series(1, ${DUE_PER_SECOND * LATENESS_SECONDS}) n`,
      [JSON.stringify(expired()), 1_000 / DUE_PER_SECOND, `late:${run}:`],
    );
    const { rows: armed } = await client.query<{ key: string; due_at: Date }>(`SELECT key, due_at FROM bench_log.timer WHERE name LIKE 'late:%'`);
    const due = new Map(armed.map((row) => [row.key, row.due_at.getTime()]));
    await pause((LATENESS_SECONDS + 2) * 1_000);
    // The commit is what counts; `appended_at` is the start of its transaction, so the time of the flush is added by looking at the last of each.
    const { rows } = await client.query<{ key: string; at: Date }>(
      `SELECT key, appended_at AS at FROM bench_log.event_log WHERE topic = 'work' AND key LIKE $1`,
      [`late:${run}:%`],
    );
    const late = rows.map(({ key, at }) => at.getTime() - due.get(key)!).sort((a, b) => a - b);
    perRun.push({ p50: percentile(late, 0.5), p99: percentile(late, 0.99) });
    bench.progress(`timers: lateness run ${run + 1}, p99 ${percentile(late, 0.99)} ms of ${rows.length}`);
  }
  void running;
  return latency(`timer lateness p99, ${DUE_PER_SECOND}/s due`, median(perRun.map(({ p99 }) => p99)), 50, undefined, {
    p50Ms: median(perRun.map(({ p50 }) => p50)),
  });
}

const expired = () => ({ offerId: newId(), ticketId: newId(), pool: 'pool', agentId: 'ada' });
const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
