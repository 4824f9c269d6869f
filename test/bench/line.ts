import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { PortalModule } from '@tierline/portal';
import { startProcess, type RunningProcess } from '@tierline/service';
import pg from 'pg';
import { allServices } from '../../apps/tierline/src/services.ts';
import { PortalService } from '../../apps/portal/src/portal.service.ts';
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
    paced.push(await pace(running, database, WARM_UP + CONTACTS));
    bench.progress(
      `line: run ${run + 1} of ${bench.runs}, ${Math.round(throughputs.at(-1)!)}/s, at ${PACED_PER_SECOND}/s p50 ${paced.at(-1)!.p50.toFixed(1)} ms`,
    );
    await database.end();
    await running.stop();
    bares.push(await bareLine(await bench.database(`bareline${run}`), CONTACTS));
  }
  return [
    rate('contact → ticket → queued → clock armed', median(throughputs), 8_000, median(bares)),
    latency(`the same at ${PACED_PER_SECOND}/s, p50`, median(paced.map(({ p50 }) => p50)), 30, { p99Ms: median(paced.map(({ p99 }) => p99)) }),
  ];
};

export async function configure(url: string): Promise<void> {
  for (const [service, section] of Object.entries(CONFIGURATION)) {
    const response = await fetch(`${url}/${service}/v1/configuration`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify(section),
    });
    if (!response.ok) throw new Error(`${service}: ${response.status} ${await response.text()}`);
  }
}

const who = { subject: 'bench', roles: ['client'] } as const;

function receiveOne(portal: PortalService): Promise<unknown> {
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

async function handIn({ app }: RunningProcess, contacts: number): Promise<void> {
  const portal = app.select(PortalModule).get(PortalService);
  let left = contacts;
  await Promise.all(
    Array.from({ length: CALLERS }, async () => {
      while (left-- > 0) await receiveOne(portal);
    }),
  );
}

/** Until so many tickets are queued, and their clocks armed. Asks the heads of the log, which cost nothing. */
async function untilDone(database: pg.Client, tickets: number): Promise<void> {
  for (;;) {
    const { rows } = await database.query<{ queued: string; clocked: string }>(
      `SELECT (SELECT sum(next - 1) FROM log.log_head WHERE topic = 'work') AS queued, (SELECT sum(next - 1) FROM log.log_head WHERE topic = 'clock') AS clocked`,
    );
    if (Number(rows[0]!.queued) >= tickets && Number(rows[0]!.clocked) >= tickets) return;
    await sleep(10);
  }
}

/** Contacts at an even pace; the latency runs from handing one in to the later of the two commits, by PostgreSQL's own commit timestamps. */
async function pace(running: RunningProcess, database: pg.Client, before: number): Promise<{ p50: number; p99: number }> {
  const portal = running.app.select(PortalModule).get(PortalService);
  const sentAt = new Map<string, number>();
  const pending: Promise<unknown>[] = [];
  const total = PACED_PER_SECOND * PACED_SECONDS;
  const start = performance.now();
  for (let sent = 0; sent < total;) {
    const owed = Math.min(total, Math.floor(((performance.now() - start) / 1000) * PACED_PER_SECOND));
    for (; sent < owed; sent++) {
      const at = performance.timeOrigin + performance.now();
      pending.push(receiveOne(portal).then((receipt) => sentAt.set((receipt as { contactId: string }).contactId, at)));
    }
    await sleep(1);
  }
  await Promise.all(pending);
  await untilDone(database, before + total);
  const { rows } = await database.query<{ contact_id: string; done_ms: string }>(
    `SELECT t.payload::jsonb->'data'->>'contactId' AS contact_id,
       greatest(extract(epoch FROM pg_xact_commit_timestamp(q.xmin)), extract(epoch FROM pg_xact_commit_timestamp(c.xmin))) * 1000 AS done_ms
     FROM log.event_log t
     JOIN (SELECT xmin, payload::jsonb->'data'->>'ticketId' AS ticket_id FROM log.event_log WHERE topic = 'work' AND type = 'ticket.queued') q ON q.ticket_id = t.key
     JOIN log.event_log c ON c.topic = 'clock' AND c.key = t.key AND c.type = 'clock.started'
     WHERE t.topic = 'ticket' AND t.type = 'ticket.opened'`,
  );
  const latencies = rows.flatMap((row) => {
    const at = sentAt.get(row.contact_id);
    return at === undefined ? [] : [Number(row.done_ms) - at];
  });
  if (latencies.length !== total) throw new Error(`${total} contacts were sent, ${latencies.length} came through`);
  latencies.sort((a, b) => a - b);
  return { p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99) };
}
