import { existsSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startPostgres } from '@tierline/service/embedded-postgres';
import { ask } from './ask.ts';
import { faultProxy } from './fault-proxy.ts';
import { answers, frozenMs, type Fault, type Installation, type InstallationOptions } from './installation.ts';
import { pick, shuffled } from './random.ts';
import { ServiceProcess } from './service-process.ts';

const MAIN = join(import.meta.dirname, '../apps/tierline/main.js');
/** How long answers are lost: some are asked for in any such time. */
const LOST_MS = 400;

/**
 * Everything in one process with its embedded PostgreSQL, as `npm start` runs it. For a part of each round a second process works on the same database,
 * behind a proxy: then either may lose its connections, and a frozen one finds out that it is no longer the owner.
 */
export async function startEmbedded({ folder, adminToken, secret, note, onExit, progress }: InstallationOptions): Promise<Installation> {
  const dataDir = join(folder, 'tierline');
  await mkdir(dataDir);
  const postmasterFile = join(dataDir, 'postgres/cluster/postmaster.pid');
  const postmaster = (): { pid: number; port: number } => {
    const lines = readFileSync(postmasterFile, 'utf8').split('\n');
    return { pid: Number(lines[0]), port: Number(lines[3]) };
  };
  const urlAt = (port: number): string => `postgres://tierline:${readFileSync(join(dataDir, 'postgres/password'), 'utf8')}@127.0.0.1:${port}/tierline`;
  const databaseUrl = (): string => urlAt(postmaster().port);

  const up = (): ServiceProcess[] => processes.filter(({ isUp }) => isUp);
  let turn = 0;
  const next = (): ServiceProcess => up()[turn++ % Math.max(1, up().length)] ?? first;
  const http = await faultProxy(() => next().httpPort);
  const smtp = await faultProxy(() => next().smtpPort);
  const database = await faultProxy(() => postmaster().port);

  const env = {
    KAFKA_BROKERS: '',
    TIERLINE_DATA: dataDir,
    TIERLINE_ADMIN_TOKEN: adminToken,
    TIERLINE_SECRET: secret,
    HOST: '127.0.0.1',
    PUBLIC_URL: `http://127.0.0.1:${http.port}`,
  };
  const first = new ServiceProcess('tierline', { args: [MAIN, 'start'], env: { ...env, DATABASE_URL: '' }, logFile: join(folder, 'tierline.log') });
  const processes = [first];
  let second = first;

  onExit(async () => {
    await Promise.all(processes.map((running) => running.end()));
    await Promise.all([http, smtp, database].map((proxy) => proxy.stop()));
    // Of a process that could not stop it any more.
    if (existsSync(postmasterFile)) await (await startPostgres({ dataDir: join(dataDir, 'postgres') })).stop();
  });

  const kill = (victim: ServiceProcess): void => {
    note('tierline', true);
    victim.kill();
  };
  const killPostmaster = (): void => {
    note('postgres', true);
    process.kill(postmaster().pid, 'SIGKILL');
  };

  const alone = (random: () => number): Fault[] => [
    {
      name: 'kill -9 the process',
      async strike() {
        kill(first);
        await first.start();
      },
    },
    {
      name: 'kill -9 the process, and again while it starts',
      async strike() {
        kill(first);
        const starting = first.start();
        await sleep(random() * 2_000);
        kill(first);
        await starting;
        await first.start();
      },
    },
    {
      name: 'kill -9 PostgreSQL',
      async strike() {
        killPostmaster();
        await answers(databaseUrl);
      },
    },
    {
      name: 'kill -9 a connection of PostgreSQL',
      async strike() {
        const pid = await backend(databaseUrl(), random);
        note('postgresBackend', true);
        process.kill(pid, 'SIGKILL');
        await answers(databaseUrl);
      },
    },
    {
      name: 'kill -9 the process and PostgreSQL',
      async strike() {
        kill(first);
        killPostmaster();
        await first.start();
      },
    },
    ...cuts('doors', [http, smtp], note),
  ];

  const startSecond = async (): Promise<void> => {
    second = new ServiceProcess('tierline', {
      args: [MAIN, 'start'],
      env: { ...env, DATABASE_URL: urlAt(database.port) },
      logFile: join(folder, 'tierline-2.log'),
    });
    processes.push(second);
    await second.start();
  };

  const together = (random: () => number): Fault[] => [
    {
      name: 'kill -9 the owner, with another process there',
      async strike() {
        kill(first);
        await first.start();
      },
    },
    {
      name: 'freeze the owner beyond its lease',
      async strike() {
        const owner = database.carries(await ownersPort(databaseUrl())) ? second : first;
        note('zombie');
        owner.freeze();
        // As any balancer does with a server that does not answer.
        http.cut();
        smtp.cut();
        await sleep(frozenMs(random));
        owner.thaw();
      },
    },
    ...cuts('database', [database], note),
  ];

  progress('PostgreSQL, and everything in one process');
  await first.start();
  return {
    where: 'one process, embedded PostgreSQL',
    processes,
    smtpPort: smtp.port,
    urlOf: () => `http://127.0.0.1:${http.port}`,
    databaseUrl,
    round: (random) => [
      ...shuffled(random, alone(random)),
      { name: 'a second process joins', strike: startSecond },
      ...shuffled(random, together(random)),
      {
        name: 'kill -9 the second process',
        async strike() {
          kill(second);
          processes.splice(processes.indexOf(second), 1);
        },
      },
    ],
  };
}

/** The two ways to lose connections: at once, and with what was asked for done. */
export function cuts(what: string, proxies: readonly { cut(): void; loseAnswers(forMs: number): void }[], note: (what: string) => void): Fault[] {
  return [
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
        for (const proxy of proxies) proxy.loseAnswers(LOST_MS);
        await sleep(LOST_MS);
      },
    },
  ];
}

/** The port that the connection of most leases comes from. */
async function ownersPort(databaseUrl: string): Promise<number> {
  const [owner] = await ask<{ port: number }>(
    databaseUrl,
    `SELECT a.client_port AS port FROM log.lease l JOIN pg_stat_activity a ON a.pid = l.backend_pid GROUP BY 1 ORDER BY count(*) DESC LIMIT 1`,
  );
  return owner?.port ?? 0;
}

/** A backend that works for Tierline. */
async function backend(databaseUrl: string, random: () => number): Promise<number> {
  const backends = await ask<{ pid: number }>(databaseUrl, `SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'tierline %'`);
  return pick(random, backends).pid;
}
