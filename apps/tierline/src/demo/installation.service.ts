import { spawn, type ChildProcess } from 'node:child_process';
import { openSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig, processConfig, startPostgres, startProcess, type RunningProcess } from '@tierline/service';
import { freePort } from '@tierline/service/free-port';
import { NODE_FLAGS } from '@tierline/service/node-flags';
import { allServices } from '../services.ts';
import type { UrlOf } from './agents.service.ts';
import { boardService } from './board.consumer.ts';

const READY_WITHIN_MS = 90_000;
/** Twelve processes with a pool each. */
const MAX_CONNECTIONS = '500';

/** A Tierline that a demo has started, and the process that holds the board. */
export interface Installation {
  /** In one line, for the head of the board. */
  readonly where: string;
  readonly urlOf: UrlOf;
  readonly smtpPort: number;
  readonly boardApp: RunningProcess['app'];
  stop(): Promise<void>;
}

export interface InstallationOptions {
  dataDir: string;
  adminToken: string;
  secret: string;
  /** Says what is being started. */
  progress: (text: string) => void;
}

/** Everything in this process, on an embedded PostgreSQL. */
export async function startEmbedded({ dataDir, adminToken, secret, progress }: InstallationOptions, port: number): Promise<Installation> {
  progress('PostgreSQL');
  const postgres = await startPostgres({ dataDir: join(dataDir, 'postgres') });
  progress(`${allServices.length} services in one process`);
  const smtpPort = await freePort();
  process.env['SMTP_PORT'] = String(smtpPort);
  const config = loadConfig(processConfig, {
    PORT: String(port),
    PUBLIC_URL: `http://127.0.0.1:${port}`,
    TIERLINE_DATA: dataDir,
    TIERLINE_ADMIN_TOKEN: adminToken,
    TIERLINE_SECRET: secret,
  });
  const running = await startProcess([...allServices, boardService], { ...config, DATABASE_URL: postgres.url });
  return {
    where: 'one process, embedded PostgreSQL',
    urlOf: () => running.url,
    smtpPort,
    boardApp: running.app,
    async stop() {
      await running.stop();
      await postgres.stop();
    },
  };
}

/** Every service as its own process, over a real Apache Kafka and a PostgreSQL. The board is one more group that reads the topics. */
export async function startOverKafka(
  { dataDir, adminToken, secret, progress }: InstallationOptions,
  ports: ReadonlyMap<string, number>,
): Promise<Installation> {
  /** What has been started, the last first: ended in this order, also when the rest does not come up. */
  const started: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of started.splice(0)) await end();
  };
  try {
    progress('PostgreSQL');
    const postgres = await startPostgres({ dataDir: join(dataDir, 'postgres'), settings: { max_connections: MAX_CONNECTIONS } });
    started.unshift(() => postgres.stop());
    progress('Apache Kafka');
    const kafka = await startKafka(dataDir);
    started.unshift(() => kafka.stop());
    const smtpPort = await freePort();
    const urlOf: UrlOf = (service) => `http://127.0.0.1:${ports.get(service)!}`;
    const env = {
      ...process.env,
      DATABASE_URL: postgres.url,
      KAFKA_BROKERS: kafka.brokers,
      TIERLINE_DATA: dataDir,
      TIERLINE_ADMIN_TOKEN: adminToken,
      TIERLINE_SECRET: secret,
      SMTP_PORT: String(smtpPort),
    };
    progress(`${allServices.length} services, a process each`);
    await mkdir(join(dataDir, 'logs'), { recursive: true });
    const children = allServices.map(({ name }) => {
      const logFile = join(dataDir, 'logs', `${name}.log`);
      const log = openSync(logFile, 'a');
      const child = spawn(process.execPath, [...NODE_FLAGS, join(import.meta.dirname, '..', name, 'main.js')], {
        env: { ...env, PORT: String(ports.get(name)!), PUBLIC_URL: urlOf(name) },
        // The channel tells the service when we are gone.
        stdio: ['ignore', log, log, 'ipc'],
      });
      return { name, child, logFile };
    });
    started.unshift(() => Promise.all(children.map(({ child }) => ended(child))));
    const board = await startProcess([boardService], { ...loadConfig(processConfig, { ...env, PORT: '0' }), DATABASE_URL: postgres.url });
    started.unshift(() => board.stop());
    await Promise.all(children.map((child) => untilReady(urlOf(child.name), child)));
    return { where: `${allServices.length} processes, Apache Kafka, PostgreSQL`, urlOf, smtpPort, boardApp: board.app, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startKafka(dataDir: string): Promise<{ brokers: string; stop(): Promise<void> }> {
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, '../../../tools/kafka.mjs'), '--port', String(await freePort()), '--data', join(dataDir, 'kafka')],
    {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    },
  );
  for await (const line of createInterface({ input: child.stdout! })) {
    const brokers = /^KAFKA_BROKERS=(.+)$/.exec(line)?.[1];
    if (brokers !== undefined) return { brokers, stop: () => ended(child) };
  }
  throw new Error('Kafka did not start; see above');
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await exit;
}

async function untilReady(url: string, { name, child, logFile }: { name: string; child: ChildProcess; logFile: string }): Promise<void> {
  const deadline = performance.now() + READY_WITHIN_MS;
  while (performance.now() < deadline && child.exitCode === null && child.signalCode === null) {
    const isReady = await fetch(`${url}/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isReady) return;
    await sleep(100);
  }
  throw new Error(`${name} did not come up:\n${(await readFile(logFile, 'utf8')).slice(-2_000)}`);
}
