import { existsSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startPostgres } from '@tierline/service/embedded-postgres';
import { ask } from './ask.ts';
import { faultProxy } from './fault-proxy.ts';
import { killBackend, killPostgres, postmaster, spoils } from './faults.ts';
import type { Fault, Installation, InstallationOptions } from './installation.ts';
import { shuffled } from './random.ts';
import { ServiceProcess } from './service-process.ts';

const MAIN = join(import.meta.dirname, '../apps/tierline/main.js');
/** Longer than a lease, which is 6 s. */
const FROZEN_MS = 7_000;
const FROZEN_MORE_MS = 3_000;
/** A start takes about as long. */
const STARTING_MS = 2_000;

/**
 * Everything in one process with its embedded PostgreSQL, as `npm start` runs it. For a part of each round a second process works on the same database,
 * behind a proxy: then either may lose its connections, and a frozen one finds out that it is no longer the owner.
 */
export async function startEmbedded({ folder, adminToken, secret, note, onExit, progress }: InstallationOptions): Promise<Installation> {
  const dataDir = join(folder, 'tierline');
  const postgresDir = join(dataDir, 'postgres');
  await mkdir(dataDir);
  const urlAt = (port: number): string => `postgres://tierline:${readFileSync(join(postgresDir, 'password'), 'utf8')}@127.0.0.1:${port}/tierline`;
  const databaseUrl = (): string => urlAt(postmaster(postgresDir).port);

  const processes: ServiceProcess[] = [];
  let turn = 0;
  /** Those that are up take turns, as behind a balancer. */
  const next = (): ServiceProcess | undefined => {
    const up = processes.filter(({ isUp }) => isUp);
    return up[turn++ % up.length];
  };
  const http = await faultProxy(() => next()?.httpPort ?? 0);
  const smtp = await faultProxy(() => next()?.smtpPort ?? 0);
  const database = await faultProxy(() => postmaster(postgresDir).port);
  onExit(async () => {
    await Promise.all(processes.map((running) => running.end('SIGTERM')));
    await Promise.all([http, smtp, database].map((proxy) => proxy.stop()));
    // Left behind by a process that could not stop it any more.
    if (existsSync(join(postgresDir, 'cluster/postmaster.pid'))) await (await startPostgres({ dataDir: postgresDir })).stop();
  });

  const begin = async (logName: string, databaseEnv: string): Promise<ServiceProcess> => {
    const begun = new ServiceProcess('tierline', {
      args: [MAIN, 'start'],
      env: {
        DATABASE_URL: databaseEnv,
        KAFKA_BROKERS: '',
        TIERLINE_DATA: dataDir,
        TIERLINE_ADMIN_TOKEN: adminToken,
        TIERLINE_SECRET: secret,
        HOST: '127.0.0.1',
        PUBLIC_URL: `http://127.0.0.1:${http.port}`,
      },
      logFile: join(folder, `${logName}.log`),
    });
    processes.push(begun);
    await begun.start();
    return begun;
  };
  progress('everything in one process');
  const first = await begin('tierline', '');

  const kill = (victim: ServiceProcess): void => {
    note('tierline', true);
    victim.kill();
  };
  const killFirst = (name: string): Fault => ({
    name,
    async strike() {
      kill(first);
      await first.start();
    },
  });

  const alone = (random: () => number): Fault[] => [
    killFirst('kill -9 the process'),
    {
      name: 'kill -9 the process, and again while it starts',
      async strike() {
        kill(first);
        const starting = first.start();
        await sleep(random() * STARTING_MS);
        kill(first);
        await starting;
        await first.start();
      },
    },
    killPostgres(postgresDir, databaseUrl, note),
    killBackend(databaseUrl, random, note),
    {
      name: 'kill -9 the process and PostgreSQL',
      async strike() {
        const { pid } = postmaster(postgresDir);
        kill(first);
        note('postgres', true);
        process.kill(pid, 'SIGKILL');
        await first.start();
      },
    },
    ...spoils('doors', [http, smtp], note),
  ];

  const together = (second: () => ServiceProcess, random: () => number): Fault[] => [
    killFirst('kill -9 the first process, with a second one there'),
    {
      name: 'freeze the owner beyond its leases',
      async strike() {
        const owner = database.carries(await ownersPort(databaseUrl())) ? second() : first;
        note('zombie');
        owner.freeze();
        // As a balancer does with a server that does not answer.
        http.cut();
        smtp.cut();
        await sleep(FROZEN_MS + random() * FROZEN_MORE_MS);
        owner.thaw();
      },
    },
    ...spoils('database', [database], note),
  ];

  return {
    where: 'one process, embedded PostgreSQL',
    processes,
    smtpPort: smtp.port,
    urlOf: () => `http://127.0.0.1:${http.port}`,
    databaseUrl,
    round(random) {
      let second = first;
      return [
        ...shuffled(random, alone(random)),
        {
          name: 'a second process joins',
          async strike() {
            second = await begin('tierline-2', urlAt(database.port));
          },
        },
        ...shuffled(
          random,
          together(() => second, random),
        ),
        {
          name: 'kill -9 the second process',
          async strike() {
            kill(second);
            processes.splice(processes.indexOf(second), 1);
          },
        },
      ];
    },
  };
}

/** The port that the connection of most leases comes from. */
async function ownersPort(databaseUrl: string): Promise<number> {
  const [owner] = await ask<{ port: number }>(
    databaseUrl,
    `SELECT a.client_port AS port FROM log.lease l JOIN pg_stat_activity a ON a.pid = l.backend_pid GROUP BY 1 ORDER BY count(*) DESC LIMIT 1`,
  );
  return owner?.port ?? 0;
}
