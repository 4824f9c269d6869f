import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { Logger } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import { NoticeSent, TicketMerged } from '@tierline/events';
import { describeWith, eventually, freePort, freshDatabase, realKafka } from '@tierline/testing';
import { Kafka, logLevel, type IHeaders } from 'kafkajs';
import { numbered, numberOf, openLog, type OpenLog } from '../test/open-log.ts';
import { BUCKETS, bucketOf } from './bucket.ts';
import { ConsumerGroup, type Handler } from './consumer-group.ts';
import { KafkaSource } from './kafka-source.ts';
import type { RetryPolicy } from './retry-queue.ts';

/** kafkajs's own, of which one call is to fail. */
const { prototype: fetched } = createRequire(import.meta.url)('kafkajs/src/consumer/batch') as { prototype: { isEmpty(): boolean } };

await describeWith('KafkaSource', realKafka, (servers) => {
  const brokers = servers.split(',');
  const client = new Kafka({ brokers, logLevel: logLevel.NOTHING });
  const logger = new Logger('Test');
  let database: Awaited<ReturnType<typeof freshDatabase>>;
  let topicPrefix: string;
  let source = 0;
  let opened: OpenLog;
  let running: (() => Promise<void>)[];

  beforeAll(async () => {
    database = await freshDatabase('kafka_source');
    Logger.overrideLogger(false);
  });
  afterAll(async () => {
    Logger.overrideLogger(true);
    await database.drop();
  });
  beforeEach(async () => {
    topicPrefix = `${randomUUID()}.`;
    running = [];
    opened = await open(++source);
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    for (const stop of running.reverse()) await stop();
  });

  const open = async (name: number): Promise<OpenLog> => {
    const log = await openLog(database.url, `log_${name}`);
    running.push(() => log.close());
    return log;
  };
  const start = async ({ log, leases }: OpenLog, at = brokers): Promise<{ source: KafkaSource; stop(): Promise<void> }> => {
    const kafka = new KafkaSource(log, leases, { brokers: at, topicPrefix });
    await kafka.start();
    let stopped: Promise<void> | undefined;
    const stop = () => (stopped ??= kafka.stop());
    running.push(stop);
    return { source: kafka, stop };
  };
  const consume = async (from: KafkaSource, handle: Handler, retry: RetryPolicy = {}): Promise<ConsumerGroup> => {
    const handlers = new Map([[TicketMerged.type, handle]]);
    const group = new ConsumerGroup(opened.log, from, { name: 'group', topics: ['ticket'], handlers, replayable: false, retry }, logger);
    await group.start();
    running.push(() => group.stop());
    return group;
  };
  const append = ({ log }: OpenLog, numbers: readonly number[], keyOf: (n: number) => string = () => 'k'): Promise<void> =>
    log.transaction('test', async (tx) => {
      for (const n of numbers) tx.append(TicketMerged, keyOf(n), numbered(n));
    });
  const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);
  const handler = (handled: number[]): Handler => async (events) => void handled.push(...events.map(numberOf)); // prettier-ignore
  const isShipped = (): Promise<unknown> =>
    eventually(async () => {
      const behind = await opened.log.dataSource.query<unknown[]>(
        `SELECT 1 FROM ${opened.log.schema}.log_head LEFT JOIN ${opened.log.schema}.relay_position USING (topic, bucket) WHERE next - 1 > coalesce(pos, 0)`,
      );
      return behind.length === 0;
    });

  interface Message {
    partition: number;
    key: string;
    value: Record<string, unknown>;
    headers: IHeaders;
  }

  /** What is in a topic, as anybody sees it who reads Kafka. */
  const messagesIn = async (topic: string, count: number): Promise<Message[]> => {
    await isShipped();
    const consumer = client.consumer({ groupId: randomUUID() });
    await consumer.connect();
    await consumer.subscribe({ topic: topicPrefix + topic, fromBeginning: true });
    const messages: Message[] = [];
    await consumer.run({
      eachMessage: async ({ partition, message }) =>
        void messages.push({
          partition,
          key: String(message.key),
          value: JSON.parse(String(message.value)) as Message['value'],
          headers: message.headers ?? {},
        }),
    });
    await eventually(() => expect(messages.length).toBeGreaterThanOrEqual(count));
    await consumer.disconnect();
    return messages;
  };

  it('ships each event to the partition of its bucket, with one header, and says where it came from', async () => {
    await start(opened);
    await append(opened, [7], () => 'key-7');
    const [message] = await messagesIn('ticket', 1);
    expect(message).toMatchObject({ partition: bucketOf('key-7'), key: 'key-7' });
    expect(Object.entries(message!.headers).map(([name, value]) => [name, String(value)])).toEqual([
      ['content-type', 'application/cloudevents+json; charset=UTF-8'],
    ]);
    expect(message!.value).toMatchObject({
      specversion: '1.0',
      type: 'ticket.merged',
      source: 'test',
      subject: 'key-7',
      logsource: `log_${source}`,
      logpos: 1,
    });
  });

  it('ships what is large, and more than one batch of it', async () => {
    await start(opened);
    const text = 'x'.repeat(700_000);
    await opened.log.transaction('test', async (tx) => {
      for (let n = 0; n < 5; n++) tx.append(NoticeSent, 'large', { text, n } as never);
      tx.append(NoticeSent, 'large', { text: text.repeat(5), n: 5 } as never);
    });
    const messages = await messagesIn('notice', 6);
    expect(messages.map(({ value }) => (value['data'] as { n: number }).n)).toEqual(upTo(6));
  });

  it('ships a copy of what was parked to <topic>.dlq', async () => {
    const { source } = await start(opened);
    await consume(source, () => Promise.reject(new RangeError('poison')), { backoffMs: [10], maxAttempts: 2 });
    await append(opened, [7]);
    await eventually(async () =>
      expect(await opened.log.dataSource.query(`SELECT 1 FROM ${opened.log.schema}.retry_event WHERE state = 'parked'`)).toHaveLength(1),
    );
    const [message] = await messagesIn('ticket.dlq', 1);
    expect(message!.value).toMatchObject({
      source: 'group',
      subject: 'k',
      errorclass: 'RangeError',
      errormessage: 'poison',
      origintopic: 'ticket',
      originposition: 1,
    });
    expect(numberOf(JSON.parse(message!.value['data'] as string) as never)).toBe(7);
  });

  it('may be started by many services at once, which make the topics together', async () => {
    const logs = await Promise.all([1, 2, 3, 4].map((n) => open(source * 100 + n)));
    await Promise.all(logs.map((log) => start(log)));
    await Promise.all(logs.map((log, n) => append(log, [n])));
    const handled: number[] = [];
    await consume((await start(opened)).source, handler(handled));
    await eventually(() => expect([...handled].sort()).toEqual([0, 1, 2, 3]));
  });

  it('makes its topics with a partition for each bucket, and refuses those that others made otherwise', async () => {
    const admin = client.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: `${topicPrefix}ticket`, numPartitions: BUCKETS + 1 }], waitForLeaders: false });
    // Not every answer about a topic that was just made knows it.
    await eventually(() => admin.fetchTopicMetadata({ topics: [`${topicPrefix}ticket`] }));
    const warned = jest.spyOn(Logger.prototype, 'warn');
    await start(opened);
    await append(opened, [0]);
    await eventually(() =>
      expect(warned).toHaveBeenCalledWith(`topics cannot be made yet: topics must have ${BUCKETS} partitions: ${topicPrefix}ticket has ${BUCKETS + 1}`),
    );
    const { topics } = await eventually(() => admin.fetchTopicMetadata({ topics: [`${topicPrefix}contact`] }));
    expect(topics[0]!.partitions).toHaveLength(BUCKETS);
    const offsets = await eventually(() => admin.fetchTopicOffsets(`${topicPrefix}ticket`));
    expect(offsets.map(({ high }) => high)).toEqual(Array.from({ length: BUCKETS + 1 }, () => '0'));
    await admin.disconnect();
  });

  it('has one relay for a log, and another when that stops', async () => {
    const other = await open(source);
    const first = await start(opened);
    const second = await start(other);
    // Both processes write, one of them ships.
    for (const n of upTo(20)) await append(n % 2 === 0 ? opened : other, [n]);
    await isShipped();
    await first.stop();
    for (const n of upTo(20)) await append(n % 2 === 0 ? opened : other, [20 + n]);
    await isShipped();
    await second.stop();
    const messages = await messagesIn('ticket', 40);
    expect(messages.map(({ value }) => numberOf(value as never))).toEqual(upTo(40));
  });

  it('starts, writes and stops without Kafka, and ships when it is there', async () => {
    const nowhere = await start(opened, [`127.0.0.1:${await freePort()}`]);
    const group = await consume(nowhere.source, handler([]));
    await append(opened, [0]);
    await group.stop();
    await nowhere.stop();
    const handled: number[] = [];
    await consume((await start(opened)).source, handler(handled));
    await eventually(() => expect(handled).toEqual([0]));
  });

  it('gives a group another consumer when kafkajs gives up the one it had', async () => {
    const handled: number[] = [];
    const { source } = await start(opened);
    await consume(source, handler(handled));
    await append(opened, [0]);
    await eventually(() => expect(handled).toEqual([0]));
    const warned = jest.spyOn(Logger.prototype, 'warn');
    // kafkajs ends a consumer for good at a TypeError, wherever it comes from.
    jest.spyOn(fetched, 'isEmpty').mockImplementationOnce(() => {
      throw new TypeError('injected');
    });
    await append(opened, [1]);
    await eventually(() => expect(warned).toHaveBeenCalledWith(expect.stringContaining('crashed and is replaced: injected')));
    await append(opened, [2]);
    await eventually(() => expect(handled).toEqual([0, 1, 2]));
  });

  it('fetches no more than it may hold while the handlers are busy, and everything in the end', async () => {
    let open!: () => void;
    const passed = new Promise<void>((resolve) => (open = resolve));
    const handled: number[] = [];
    const { source } = await start(opened);
    const group = await consume(source, async (events) => {
      await passed;
      handled.push(...events.map(numberOf));
    });
    const padded = { ...numbered(0), padding: 'x'.repeat(50_000) };
    for (const chunk of upTo(10)) {
      await opened.log.transaction('test', async (tx) => {
        for (const n of upTo(40)) tx.append(TicketMerged, `${n}`, { ...padded, ...numbered(chunk * 40 + n) });
      });
    }
    const { feed } = group as unknown as { feed: { bufferedBytes: number; paused: boolean } };
    await eventually(() => expect(feed.paused).toBe(true));
    await isShipped();
    // 20 MB were shipped; 8 may be held, and what one fetch brings beyond that.
    expect(feed.bufferedBytes).toBeLessThan(18_000_000);
    open();
    await eventually(() => expect(handled).toHaveLength(400), { timeoutMs: 30_000 });
    expect(new Set(handled).size).toBe(400);
  });

  it('stands still, and says so, when Kafka has deleted what a group has not read, until that is sent again', async () => {
    const { source } = await start(opened);
    await append(opened, upTo(10));
    await isShipped();
    const admin = client.admin();
    await admin.connect();
    await eventually(async () => {
      // Loads the leaders, which the other partitions of a new topic may still be without.
      await admin.fetchTopicOffsets(`${topicPrefix}ticket`);
      await admin.deleteTopicRecords({ topic: `${topicPrefix}ticket`, partitions: [{ partition: bucketOf('k'), offset: '4' }] });
    });
    await admin.disconnect();
    const handled: number[] = [];
    const group = await consume(source, handler(handled));
    await eventually(() => expect(group.holes).toEqual([expect.objectContaining({ expected: 1, found: 5 })]));
    expect(handled).toEqual([]);
    await opened.log.dataSource.query(`UPDATE ${opened.log.schema}.relay_position SET pos = 0`);
    await eventually(() => expect(handled).toEqual(upTo(10)));
    expect(group.holes).toEqual([]);
  });
});
