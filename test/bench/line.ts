import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { PortalModule } from '@tierline/portal';
import { startProcess, type RunningProcess } from '@tierline/service';
import pg from 'pg';
import { allServices } from '../../apps/tierline/src/services.ts';
import { PortalService } from '../../apps/portal/src/portal.service.ts';
import { barePaced } from './bare-doors.ts';
import { bareLine } from './bare-line.ts';
import { latency, median, percentile, rate, type Benchmark } from './figure.ts';
import { ADMIN_TOKEN, settings } from './settings.ts';

/** Contacts of one throughput run. */
const CONTACTS = 40_000;
/** Callers that hand them in, each waiting for its contact to be durable. */
const CALLERS = 512;
const PACED_PER_SECOND = 2_000;
const PACED_SECONDS = 8;
/** What the first contacts cost (plans, caches, JIT) is another figure. */
const WARM_UP = 4_000;

const CONFIGURATION = {
  routing: {
    defaultQueue: 'general',
    queues: [
      { name: 'technical', match: { words: ['router'] }, skills: { technical: 4 }, offerTimeout: '20s' },
      { name: 'general', offerTimeout: '20s' },
    ],
  },
  escalation: { policies: [{ name: 'standard', firstResponse: '1h', resolution: '8h', warnAt: 80 }] },
};

/** The whole line in one process: a contact is kept, becomes a ticket, waits in its queue, and its clocks are armed. Every service runs. */
export const line: Benchmark = async (bench) => {
  const throughputs: number[] = [];
  const bares: number[] = [];
  const barePaces: number[] = [];
  const paced: { p50: number; p99: number }[] = [];
  for (let run = 0; run < bench.runs; run++) {
    const url = await bench.database(`line${run}`);
    const running = await startProcess(allServices, settings(url, bench.dataDir));
    const database = new pg.Client({ connectionString: url });
    await database.connect();
    await configure(running.url);
    await handIn(running, WARM_UP);
    await untilDone(database, WARM_UP);
    const start = performance.now();
    await handIn(running, CONTACTS);
    await untilDone(database, WARM_UP + CONTACTS);
    throughputs.push((CONTACTS / (performance.now() - start)) * 1000);
    paced.push(await commitLatencies(database, await pace(running, PACED_PER_SECOND, PACED_SECONDS), 'clocked'));
    bench.progress(
      `line: run ${run + 1} of ${bench.runs}, ${Math.round(throughputs.at(-1)!)}/s, at ${PACED_PER_SECOND}/s p50 ${paced.at(-1)!.p50.toFixed(1)} ms`,
    );
    await database.end();
    await running.stop();
    bares.push(await bareLine(await bench.database(`bareline${run}`), CONTACTS));
    barePaces.push((await barePaced(await bench.database(`barepaced${run}`), PACED_PER_SECOND, PACED_SECONDS)).p50);
  }
  return [
    rate('contact → ticket → queued → clock armed', median(throughputs), 8_000, median(bares)),
    latency(`the same at ${PACED_PER_SECOND}/s, p50`, median(paced.map(({ p50 }) => p50)), 30, median(barePaces), {
      p99Ms: median(paced.map(({ p99 }) => p99)),
    }),
  ];
};

/** Brings an installation to the benchmarks' configuration. */
export async function configure(at: string | ((service: string) => string)): Promise<void> {
  for (const [service, section] of Object.entries(CONFIGURATION)) {
    const response = await fetch(`${typeof at === 'string' ? at : at(service)}/${service}/v1/configuration`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify(section),
    });
    if (!response.ok) throw new Error(`${service}: ${response.status} ${await response.text()}`);
  }
}

const who = { subject: 'bench', roles: ['client'] } as const;

function receiveOne(portal: PortalService): Promise<{ contactId: string }> {
  const request = {
    from: { type: 'email' as const, value: `${randomUUID()}@example.net`, verified: true },
    subject: 'Router keeps crashing',
    text: 'Since the update my router shows an error every evening and the login page is broken. I have tried to restart it twice. What else can I do?',
    account: 'portal',
    uploadIds: [],
    fields: {},
  };
  return portal.receive(request, Buffer.from(JSON.stringify(request)), randomUUID(), who);
}

/** Hands contacts in as fast as their commits allow. */
export async function handIn({ app }: RunningProcess, contacts: number): Promise<void> {
  const portal = app.select(PortalModule).get(PortalService);
  let left = contacts;
  await Promise.all(
    Array.from({ length: CALLERS }, async () => {
      while (left-- > 0) await receiveOne(portal);
    }),
  );
}

/** Which schemas hold the log: one for a process that runs everything, one each for services on their own. */
type Writers = 'one' | 'services';
const logOf = (writers: Writers, service: string): string => (writers === 'one' ? 'log' : `${service}_log`);

/** Until so many tickets are queued, and their clocks armed. Asks the heads of the log, which cost nothing. */
export async function untilDone(database: pg.Client, tickets: number, writers: Writers = 'one'): Promise<void> {
  for (;;) {
    const { rows } = await database.query<{ queued: string; clocked: string }>(
      `SELECT (SELECT sum(next - 1) FROM ${logOf(writers, 'routing')}.log_head WHERE topic = 'work') AS queued,
              (SELECT sum(next - 1) FROM ${logOf(writers, 'escalation')}.log_head WHERE topic = 'clock') AS clocked`,
    );
    if (Number(rows[0]!.queued) >= tickets && Number(rows[0]!.clocked) >= tickets) return;
    await sleep(10);
  }
}

/** Hands contacts in at an even pace. Returns when each was handed in, in ms since 1970, by the contact's id. */
export async function pace({ app }: RunningProcess, perSecond: number, seconds: number): Promise<Map<string, number>> {
  const portal = app.select(PortalModule).get(PortalService);
  const sentAt = new Map<string, number>();
  const pending: Promise<unknown>[] = [];
  const total = perSecond * seconds;
  const start = performance.now();
  for (let sent = 0; sent < total;) {
    const owed = Math.min(total, Math.floor(((performance.now() - start) / 1000) * perSecond));
    for (; sent < owed; sent++) {
      const at = performance.timeOrigin + performance.now();
      pending.push(receiveOne(portal).then(({ contactId }) => sentAt.set(contactId, at)));
    }
    await sleep(1);
  }
  await Promise.all(pending);
  return sentAt;
}

/** The commit that ends the wait for a contact: of its queueing and its clocks, or of its offer; by PostgreSQL's own commit timestamps. */
const ENDS = {
  clocked: (writers: Writers) => `greatest(
    pg_xact_commit_timestamp(q.xmin),
    (SELECT pg_xact_commit_timestamp(c.xmin) FROM ${logOf(writers, 'escalation')}.event_log c WHERE c.topic = 'clock' AND c.key = t.key AND c.type = 'clock.started'))`,
  offered: (writers: Writers) =>
    `(SELECT pg_xact_commit_timestamp(o.xmin) FROM ${logOf(writers, 'routing')}.event_log o WHERE o.topic = 'assignment' AND o.key = t.key AND o.type = 'ticket.offered')`,
};

/** How long contacts took to get there. Waits until all have. */
export async function commitLatencies(
  database: pg.Client,
  sentAt: ReadonlyMap<string, number>,
  end: keyof typeof ENDS,
  writers: Writers = 'one',
): Promise<{ p50: number; p99: number }> {
  const events = `${logOf(writers, 'routing')}.event_log`;
  await database.query(`CREATE INDEX IF NOT EXISTS bench_key ON ${events} (key)`);
  if (writers === 'services') await database.query(`CREATE INDEX IF NOT EXISTS bench_clock_key ON ${logOf(writers, 'escalation')}.event_log (key)`);
  for (;;) {
    const { rows } = await database.query<{ contact_id: string; done_ms: string | null }>(
      `WITH queued AS MATERIALIZED (SELECT xmin, payload::jsonb->'data'->>'ticketId' AS ticket_id FROM ${events} WHERE topic = 'work' AND type = 'ticket.queued'),
       opened AS MATERIALIZED (SELECT key, payload::jsonb->'data'->>'contactId' AS contact_id FROM ${logOf(writers, 'tickets')}.event_log WHERE topic = 'ticket' AND type = 'ticket.opened')
       SELECT t.contact_id, extract(epoch FROM ${ENDS[end](writers)}) * 1000 AS done_ms FROM opened t JOIN queued q ON q.ticket_id = t.key WHERE t.contact_id = ANY($1::text[])`,
      [[...sentAt.keys()]],
    );
    const latencies = rows.flatMap(({ contact_id: id, done_ms: doneMs }) => (doneMs === null ? [] : [Number(doneMs) - sentAt.get(id)!]));
    if (latencies.length === sentAt.size) {
      latencies.sort((a, b) => a - b);
      return { p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99) };
    }
    await sleep(250);
  }
}
