import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from '@tierline/service/free-port';
import { lockFile } from '@tierline/service/lock-file';
import { endProcess, isRunning, signalProcess } from '@tierline/service/process-identity';
import type { ProcessIdentity } from '@tierline/service/process-identity';
import { kafkaJars } from './kafka-jars.ts';
import { kafkaProperties } from './kafka-properties.ts';
import type { KafkaNodePlan } from './kafka-properties.ts';
import { spawnRecorded } from './recorded-processes.ts';

const run = promisify(execFile);

/** Jars by version; under the folder that we are started in, like all data. */
const JARS_DIR = '.tierline/kafka';

/** The Kafka of tests and development; 3.9 works as well. */
export const KAFKA_VERSION = '4.3.1';

// The serial collector and the first compiler start in half the time; with kafkajs at the other end they are no slower.
const JVM = ['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'];

/** Three JVMs and an election on two busy cores. */
const START_WITHIN_MS = 90_000;
/** A clean stop moves leaders away first; after this the JVM is killed. */
const STOP_WITHIN_MS = 15_000;
const ANSWER_WITHIN_MS = 1_000;
const POLL_EVERY_MS = 50;

/** One broker, which is a controller too. */
export interface KafkaNode {
  /** host:port for clients; the same after a restart. */
  broker: string;
  /** Starts it and waits until it answers. */
  start(): Promise<void>;
  /** SIGTERM, which moves leaders away first. */
  stop(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
}

/** A running Apache Kafka of one or several nodes. */
export interface KafkaCluster {
  /** As KAFKA_BROKERS takes it: host:port,host:port */
  brokers: string;
  nodes: KafkaNode[];
  stop(): Promise<void>;
}

/** Where the cluster lives. */
export interface KafkaOptions {
  /** Data and log of every node; kept, and used again by the next start. */
  dataDir: string;
  version?: string;
  nodeCount?: number;
  /** Port of a single broker; free ones without it. */
  port?: number;
  /** Puts a proxy in front of a broker's port and gives its own, which clients are told. */
  front?: (port: number) => Promise<number>;
}

/** Starts Apache Kafka in KRaft mode from jars that Maven resolves. Needs Java and Maven (see `hasJavaAndMaven`). */
export async function startKafka({ dataDir, version = KAFKA_VERSION, nodeCount = 1, port, front }: KafkaOptions): Promise<KafkaCluster> {
  const dir = resolve(dataDir);
  await mkdir(dir, { recursive: true });
  const jars = await kafkaJars(version, resolve(JARS_DIR));
  const unlock = await lockFile(join(dir, 'lock'));
  const plans = await planNodes(nodeCount, port, front);
  // A Kafka id is 16 bytes in base64url; a leading dash would be read as an option.
  const clusterId = randomBytes(16).toString('base64url').replace(/^-/, 'A');
  const nodes = plans.map((plan) => nodeOf(plan, { plans, jars, clusterId, dir: join(dir, `node-${plan.id}`) }));
  // Whoever leaves without stop() does not leave the brokers behind.
  const leave = () => nodes.forEach((node) => node.leave());
  process.once('exit', leave);
  const stop = async () => {
    // Together: the last of three alone would wait for a quorum that is gone.
    await Promise.all(nodes.map((node) => node.stop()));
    process.off('exit', leave);
    await unlock();
  };
  const failed = (await Promise.allSettled(nodes.map((node) => node.start()))).find(({ status }) => status === 'rejected');
  if (failed) {
    await stop();
    throw (failed as PromiseRejectedResult).reason;
  }
  return { brokers: nodes.map(({ broker }) => broker).join(','), nodes, stop };
}

async function planNodes(count: number, port: number | undefined, front: KafkaOptions['front']): Promise<KafkaNodePlan[]> {
  const plans: KafkaNodePlan[] = [];
  for (let id = 1; id <= count; id++) {
    const own = port ?? (await freePort());
    plans.push({ id, port: own, advertisedPort: (await front?.(own)) ?? own, controllerPort: await freePort() });
  }
  return plans;
}

interface NodeContext {
  plans: KafkaNodePlan[];
  jars: string;
  clusterId: string;
  dir: string;
}

function nodeOf(plan: KafkaNodePlan, { plans, jars, clusterId, dir }: NodeContext): KafkaNode & { leave(): void } {
  const propertiesFile = join(dir, 'server.properties');
  const processFile = join(dir, 'process.json');
  const logFile = join(dir, 'kafka.log');
  const dataDir = join(dir, 'data');
  const java = [...JVM, '-cp', join(jars, '*')];
  let jvm: ProcessIdentity | null = null;

  async function start(): Promise<void> {
    await mkdir(dir, { recursive: true });
    await endLeftover(processFile);
    if (await answersKafka(plan.port))
      throw new Error(`a Kafka already answers on port ${plan.port}: use it with KAFKA_BROKERS=127.0.0.1:${plan.port}, or choose another port`);
    const lines = Object.entries(kafkaProperties(plan, plans, dataDir)).map(([name, value]) => `${name}=${value}\n`);
    await writeFile(propertiesFile, lines.join(''));
    if (!existsSync(join(dataDir, 'meta.properties'))) await run('java', [...java, 'kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', propertiesFile]);
    jvm = await spawnRecorded('java', [...java, 'kafka.Kafka', propertiesFile], { logFile });
    await writeFile(processFile, JSON.stringify(jvm));
    for (const deadline = Date.now() + START_WITHIN_MS; !(await answersKafka(plan.port)); await sleep(POLL_EVERY_MS)) {
      if (isRunning(jvm) && Date.now() < deadline) continue;
      await end('SIGKILL');
      throw new Error(`Kafka node ${plan.id} did not start, see ${logFile}: ${(await readFile(logFile, 'utf8')).slice(-1000)}`);
    }
  }

  async function end(by: NodeJS.Signals): Promise<void> {
    if (jvm) await endProcess(jvm, by, STOP_WITHIN_MS);
    jvm = null;
  }

  return {
    broker: `127.0.0.1:${plan.advertisedPort}`,
    start,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    leave: () => jvm && signalProcess(jvm, 'SIGTERM'),
  };
}

/** The broker of a killed process holds the lock on its data. */
async function endLeftover(processFile: string): Promise<void> {
  if (existsSync(processFile)) await endProcess(JSON.parse(await readFile(processFile, 'utf8')) as ProcessIdentity, 'SIGTERM', STOP_WITHIN_MS);
}

/** An ApiVersions request, version 0: its length, key 18, the version, a correlation id, and no client id. */
const API_VERSIONS = Buffer.from('0000000a' + '0012' + '0000' + '00000001' + 'ffff', 'hex');

/** Whether a Kafka answers on this port; an open one alone may be that of Docker's proxy. */
export async function answersKafka(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1').setTimeout(ANSWER_WITHIN_MS);
  try {
    socket.on('timeout', () => socket.destroy());
    socket.write(API_VERSIONS);
    return await Promise.race([once(socket, 'data').then(() => true), once(socket, 'close').then(() => false)]);
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
