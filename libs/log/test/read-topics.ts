import { randomUUID } from 'node:crypto';
import { Kafka, logLevel, type Consumer } from 'kafkajs';
import { recordIn } from '../src/kafka-record.ts';
import type { LogRecord } from '../src/source.ts';

const CONNECT_WITHIN_MS = 60_000;

/** Hands over what the topics hold at this moment, each partition in the order of its offsets. */
export async function readTopics(brokers: string, topics: readonly string[], each: (record: LogRecord) => void): Promise<void> {
  const kafka = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING, retry: { retries: 30, maxRetryTime: 1_000 } });
  const admin = kafka.admin();
  await admin.connect();
  const left = new Map<string, number>();
  for (const topic of topics) {
    for (const { partition, high } of await admin.fetchTopicOffsets(topic)) if (Number(high) > 0) left.set(`${topic}/${partition}`, Number(high) - 1);
  }
  const groupId = `reader-${randomUUID()}`;
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 50 });
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [...topics], fromBeginning: true });
    await readToTheEnd(consumer, left, each);
  } finally {
    await consumer.disconnect();
    await admin.deleteGroups([groupId]).catch(() => undefined);
    await admin.disconnect();
  }
}

/** `left`: the last offset wanted of each partition that holds anything. */
async function readToTheEnd(consumer: Consumer, left: Map<string, number>, each: (record: LogRecord) => void): Promise<void> {
  if (left.size === 0) return;
  const done = new AbortController();
  const ended = new Promise<void>((resolve, reject) => {
    done.signal.addEventListener('abort', () => resolve());
    consumer.on('consumer.crash', ({ payload }) => reject(payload.error));
    setTimeout(() => reject(new Error(`the topics cannot be read: ${[...left.keys()].join(', ')} not at the end`)), CONNECT_WITHIN_MS).unref();
  });
  await consumer.run({
    autoCommit: false,
    async eachBatch({ batch: { topic, partition, messages } }) {
      const last = left.get(`${topic}/${partition}`) ?? -1;
      for (const message of messages) if (Number(message.offset) <= last) each(recordIn(topic, partition, message));
      if (Number(messages.at(-1)?.offset ?? -1) >= last) left.delete(`${topic}/${partition}`);
      if (left.size === 0) done.abort();
    },
  });
  await ended;
}
