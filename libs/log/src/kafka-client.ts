import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { Kafka, logLevel, type LogEntry, type RetryOptions } from 'kafkajs';
import { BUCKETS } from './bucket.ts';
import { logTopics, MAX_EVENT_BYTES } from './event-log.ts';
import { tuneKafkajs } from './kafkajs-tuning.ts';

/** Where the brokers are, and what the names of this installation's topics and groups begin with. */
export interface KafkaOptions {
  readonly brokers: readonly string[];
  readonly topicPrefix: string;
}

/** What travels with an event adds less than this. */
const MESSAGE_OVERHEAD_BYTES = 1024 * 1024;
const CONNECT_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 15_000;
const CREATE_TIMEOUT_MS = 30_000;
/** Nobody waits longer for a broker that has stopped answering. */
const CLOSE_TIMEOUT_MS = 5_000;
/** Our own loops try again, with a new client. */
const RETRY: RetryOptions = { initialRetryTime: 100, maxRetryTime: 1_000, retries: 3 };

const logger = new Logger('Kafka');

/** kafkajs calls every passing state of a cluster an error. What lasts, our own code says. */
const logCreator =
  () =>
  ({ level, log: { message, ...more } }: LogEntry): void => {
    const text = typeof more['error'] === 'string' ? `${message}: ${more['error']}` : message;
    if (level === logLevel.ERROR) logger.warn(text);
    else logger.debug(text);
  };

/** A client of its own for each producer and consumer: kafkajs remembers offsets and brokers in it, and one that failed is thrown away with them. */
export function kafkaClient({ brokers }: KafkaOptions, clientId: string): Kafka {
  tuneKafkajs();
  return new Kafka({
    clientId,
    brokers: [...brokers],
    connectionTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retry: RETRY,
    logLevel: logLevel.WARN,
    logCreator,
  });
}

/** Makes the topics that are not there. One that is there must have as many partitions as we have buckets: keys would change theirs. */
export async function ensureKafkaTopics(options: KafkaOptions): Promise<void> {
  const admin = kafkaClient(options, 'tierline-admin').admin();
  try {
    await admin.connect();
    const { brokers } = await admin.describeCluster();
    const replicas = Math.min(3, brokers.length);
    const existing = new Set(await admin.listTopics());
    const names = logTopics.map((topic) => options.topicPrefix + topic);
    await admin.createTopics({
      timeout: CREATE_TIMEOUT_MS,
      topics: names
        .filter((topic) => !existing.has(topic))
        .map((topic) => ({
          topic,
          numPartitions: BUCKETS,
          replicationFactor: replicas,
          configEntries: [
            { name: 'min.insync.replicas', value: replicas === 3 ? '2' : '1' },
            { name: 'max.message.bytes', value: String(MAX_EVENT_BYTES + MESSAGE_OVERHEAD_BYTES) },
          ],
        })),
    });
    const { topics } = await admin.fetchTopicMetadata({ topics: names });
    const wrong = topics.filter(({ partitions }) => partitions.length !== BUCKETS).map(({ name, partitions }) => `${name} has ${partitions.length}`);
    if (wrong.length > 0) throw new Error(`topics must have ${BUCKETS} partitions: ${wrong.join(', ')}`);
  } finally {
    await close(admin);
  }
}

/** Disconnects, or gives up on it. */
export async function close(client: { disconnect(): Promise<void> }): Promise<void> {
  const done = new AbortController();
  await Promise.race([client.disconnect().catch(() => undefined), sleep(CLOSE_TIMEOUT_MS, undefined, { signal: done.signal }).catch(() => undefined)]);
  done.abort();
}
