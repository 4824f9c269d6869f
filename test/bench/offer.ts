import { setTimeout as sleep } from 'node:timers/promises';
import { AgentChanged, PresenceChanged } from '@tierline/events';
import { EventLog } from '@tierline/log';
import { startProcess } from '@tierline/service';
import pg from 'pg';
import { allServices } from '../../apps/tierline/src/services.ts';
import { barePaced } from './bare-doors.ts';
import { latency, median, type Benchmark } from './figure.ts';
import { commitLatencies, configure, pace } from './line.ts';
import { settings } from './settings.ts';

const PER_SECOND = 500;
const SECONDS = 8;
/** As for the line: what the first contacts cost is another figure. */
const WARM_UP_SECONDS = 4;
/** Enough that somebody is idle for every contact: nobody answers here. */
const AGENTS = PER_SECOND * (WARM_UP_SECONDS + SECONDS) + 200;
const BATCH = 200;

/** From handing a contact in to the committed offer to an idle agent, all services in one process. */
export const offer: Benchmark = async (bench) => {
  const runs: { p50: number; p99: number }[] = [];
  const bares: number[] = [];
  for (let run = 0; run < bench.runs; run++) {
    const url = await bench.database(`offer${run}`);
    const running = await startProcess(allServices, settings(url, bench.dataDir));
    const database = new pg.Client({ connectionString: url });
    await database.connect();
    await configure(running.url);
    const log = running.app.get(EventLog);
    for (let from = 0; from < AGENTS; from += BATCH) {
      await log.transaction('bench', async (tx) => {
        const occurredAt = (await tx.now()).toISOString();
        for (let n = from; n < from + BATCH; n++) {
          const agentId = `agent-${n}`;
          const profile = {
            agentId,
            name: agentId,
            team: 'care',
            pool: 'main',
            skills: [
              { skill: 'technical', level: 5 },
              { skill: 'tier', level: 1 },
            ],
            capacity: 1,
            active: true,
          };
          tx.append(AgentChanged, agentId, { ...profile, occurredAt });
          tx.append(PresenceChanged, agentId, { agentId, presence: 'available', cause: 'agent', occurredAt });
        }
      });
    }
    await untilAvailable(database);
    await pace(running, PER_SECOND, WARM_UP_SECONDS);
    const sentAt = await pace(running, PER_SECOND, SECONDS);
    runs.push(await commitLatencies(database, sentAt, 'offered'));
    bench.progress(`offer: run ${run + 1} of ${bench.runs}, p99 ${runs.at(-1)!.p99.toFixed(1)} ms`);
    await database.end();
    await running.stop();
    bares.push((await barePaced(await bench.database(`bareoffer${run}`), PER_SECOND, SECONDS)).p99);
  }
  const p99 = median(runs.map((latencies) => latencies.p99));
  return [latency(`contact → offered at ${PER_SECOND}/s, p99`, p99, 100, median(bares), { p50Ms: median(runs.map(({ p50 }) => p50)) })];
};

async function untilAvailable(database: pg.Client): Promise<void> {
  for (;;) {
    const { rows } = await database.query<{ behind: string }>(
      `SELECT sum(h.next - 1 - coalesce(p.pos, 0)) AS behind FROM log.log_head h LEFT JOIN log.consumer_position p ON p.topic = h.topic AND p.bucket = h.bucket AND p.grp = CASE h.topic WHEN 'agent' THEN 'routing' ELSE 'routing-matcher' END
       WHERE h.topic IN ('agent', 'work')`,
    );
    if (Number(rows[0]!.behind) === 0) return;
    await sleep(50);
  }
}
