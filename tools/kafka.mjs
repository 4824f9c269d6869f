// npm run kafka: a real Apache Kafka for development, on 127.0.0.1 until Ctrl-C. Its data stays from start to start.
//   npm run kafka -- [--version 3.9.2] [--port 9092] [--data folder]
// From jars with Java and Maven, else from the project's image with Docker. KAFKA_BROKERS in the environment always wins.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import './ts.mjs';

const { answersKafka, KAFKA_VERSION, startKafka } = await import('../libs/testing/src/kafka-cluster.ts');
const { hasJavaAndMaven } = await import('../libs/testing/src/kafka-jars.ts');
const { kafkaProperties } = await import('../libs/testing/src/kafka-properties.ts');
const run = promisify(execFile);

const { values: options } = parseArgs({ options: { version: { type: 'string' }, port: { type: 'string' }, data: { type: 'string' } } });
const version = options.version ?? KAFKA_VERSION;
const port = Number(options.port ?? 9092);

try {
  await main();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

async function main() {
  if (process.env.KAFKA_BROKERS) return console.log(`KAFKA_BROKERS=${process.env.KAFKA_BROKERS}`);
  const ending = new AbortController();
  // Forked, it ends with its parent.
  for (const event of ['SIGINT', 'SIGTERM', 'disconnect']) process.once(event, () => ending.abort());
  const kafka = (await hasJavaAndMaven()) ? await startWithJava() : await startWithDocker();
  console.log(`KAFKA_BROKERS=127.0.0.1:${port}`);
  // Signal handlers alone do not keep a process alive.
  while (!ending.signal.aborted) await sleep(60_000, undefined, { signal: ending.signal }).catch(() => undefined);
  await kafka.stop();
  // An open channel to a parent would keep this process alive.
  if (process.connected) process.disconnect();
}

function startWithJava() {
  return startKafka({ dataDir: options.data ?? join('.tierline/kafka', version, 'data'), version, port });
}

async function startWithDocker() {
  await run('docker', ['info']).catch(() => {
    throw new Error('Kafka needs Java 17 or later and Maven, or a running Docker; or set KAFKA_BROKERS to a Kafka that you have');
  });
  const name = `tierline-kafka-${port}`;
  const plan = { id: 1, port, advertisedPort: port, controllerPort: port + 1 };
  // The image takes log.dirs as KAFKA_LOG_DIRS.
  const settings = Object.entries(kafkaProperties(plan, [plan], '/var/lib/kafka/data', '0.0.0.0')).flatMap(([key, value]) => [
    '--env',
    `KAFKA_${key.toUpperCase().replaceAll('.', '_')}=${value}`,
  ]);
  const data = `${options.data ?? `tierline-kafka-${version}`}:/var/lib/kafka/data`;
  await run('docker', [
    'run',
    '--detach',
    '--rm',
    '--name',
    name,
    '--publish',
    `127.0.0.1:${port}:${port}`,
    '--volume',
    data,
    ...settings,
    `apache/kafka:${version}`,
  ]);
  while (!(await answersKafka(port))) {
    await run('docker', ['inspect', name]); // throws when it has ended
    await sleep(200);
  }
  return { stop: () => run('docker', ['stop', name]) };
}
