import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from './ask.ts';
import type { FaultProxy } from './fault-proxy.ts';
import type { Fault, Note } from './installation.ts';
import { pick } from './random.ts';

/** How long answers are lost: some are asked for in any such time. */
const LOST_MS = 400;
const STALLED_MS = 2_500;
const ANSWERS_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 50;

/** The running server of an embedded PostgreSQL. */
export function postmaster(postgresDir: string): { pid: number; port: number } {
  const lines = readFileSync(join(postgresDir, 'cluster/postmaster.pid'), 'utf8').split('\n');
  return { pid: Number(lines[0]), port: Number(lines[3]) };
}

/** Ends the server; whoever started it starts it again. */
export const killPostgres = (postgresDir: string, databaseUrl: () => string, note: Note): Fault => ({
  name: 'kill -9 PostgreSQL',
  async strike() {
    note('postgres', true);
    process.kill(postmaster(postgresDir).pid, 'SIGKILL');
    await answers(databaseUrl);
  },
});

/** Ends the process of one connection: PostgreSQL then throws away what its processes share, and recovers. */
export const killBackend = (databaseUrl: () => string, random: () => number, note: Note): Fault => ({
  name: 'kill -9 a connection of PostgreSQL',
  async strike() {
    const backends = await ask<{ pid: number }>(databaseUrl(), `SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'tierline %'`);
    note('postgresBackend', true);
    process.kill(pick(random, backends).pid, 'SIGKILL');
    await answers(databaseUrl);
  },
});

/** The ways to lose connections: in the middle, when what was asked for is done, and without a word. */
export const spoils = (what: string, proxies: readonly FaultProxy[], note: Note): Fault[] => [
  {
    name: `cut the connections to the ${what}`,
    async strike() {
      note(`${what}Cut`);
      for (const proxy of proxies) proxy.cut();
    },
  },
  {
    name: `lose the answers of the ${what}`,
    async strike() {
      note(`${what}AnswersLost`);
      await Promise.all(proxies.map((proxy) => proxy.loseAnswers(LOST_MS)));
    },
  },
  {
    name: `stall the connections to the ${what}`,
    async strike() {
      note(`${what}Stalled`);
      await Promise.all(proxies.map((proxy) => proxy.stall(STALLED_MS)));
    },
  },
];

/** Waits until the database answers. */
async function answers(databaseUrl: () => string): Promise<void> {
  for (const deadline = performance.now() + ANSWERS_WITHIN_MS; ; await sleep(LOOK_EVERY_MS)) {
    try {
      await ask(databaseUrl(), 'SELECT 1');
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
  }
}
