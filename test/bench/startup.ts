import { randomUUID } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '@tierline/service/free-port';
import { latency, median, type Benchmark, type Figure } from './figure.ts';
import { residentMb, startServer } from './server.ts';
import { ADMIN_TOKEN, SECRET } from './settings.ts';

const MEMORY_GOAL_MB = 450;

/** Everything embedded from nothing to its first ticket, and again where data is there already; and the memory of it with PostgreSQL. */
export const startup: Benchmark = async (bench) => {
  const cold: number[] = [];
  const warm: number[] = [];
  const memory: number[] = [];
  for (let run = 0; run < bench.runs; run++) {
    const dataDir = await mkdtemp(join(bench.dataDir, 'start-'));
    for (const times of [cold, warm]) {
      const start = performance.now();
      const server = await startServer('tierline', await freePort(), {
        TIERLINE_DATA: dataDir,
        TIERLINE_ADMIN_TOKEN: ADMIN_TOKEN,
        TIERLINE_SECRET: SECRET,
        DATABASE_URL: '',
      });
      await firstTicket(server.url);
      times.push(performance.now() - start);
      if (times === warm) memory.push(residentMb(server.pid));
      await server.stop();
    }
    bench.progress(
      `start: run ${run + 1} of ${bench.runs}, cold ${Math.round(cold.at(-1)!)} ms, warm ${Math.round(warm.at(-1)!)} ms, ${Math.round(memory.at(-1)!)} MB`,
    );
  }
  const memoryMb = Math.round(median(memory));
  const rss: Figure = {
    name: 'memory of everything, with PostgreSQL',
    value: memoryMb,
    unit: 'MB',
    goal: `≤ ${MEMORY_GOAL_MB} MB`,
    met: memoryMb <= MEMORY_GOAL_MB,
  };
  return [latency('everything up and first ticket, cold', median(cold), 8_000), latency('the same, warm', median(warm), 3_000), rss];
};

async function firstTicket(url: string): Promise<void> {
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' };
  const body = JSON.stringify({ from: { type: 'email', value: `${randomUUID()}@example.net`, verified: true }, text: 'Is anybody there?' });
  const response = await fetch(`${url}/portal/v1/contacts`, { method: 'POST', headers: { ...headers, 'idempotency-key': randomUUID() }, body });
  const { href } = (await response.json()) as { href: string };
  for (;;) {
    const followed = (await (await fetch(url + href, { headers })).json()) as { ticket?: unknown };
    if (followed.ticket) return;
    await sleep(5);
  }
}
