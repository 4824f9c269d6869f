import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { Topic } from '@tierline/events';
import type { Consumer, EachBatchPayload } from 'kafkajs';
import { BUCKETS } from './bucket.ts';
import type { EventLog } from './event-log.ts';
import { close, ensureKafkaTopics, kafkaClient, type KafkaOptions } from './kafka-client.ts';
import { recordIn } from './kafka-record.ts';
import { KafkaRelay } from './kafka-relay.ts';
import type { Leases } from './lease.ts';
import { consumerCrashes, rebalances } from './metrics.ts';
import type { EventSource, Feed, LogRecord, Progress } from './source.ts';
import { Wakeup } from './wakeup.ts';

/** A member that dies without a word is missed after this. Heartbeats flow whatever the handlers do, so it may be short. */
const SESSION_TIMEOUT_MS = 10_000;
const HEARTBEAT_MS = 2_000;
const REBALANCE_TIMEOUT_MS = 20_000;
/** A broker that is killed is back, or another one leads, after 7-22 s; a member that waits for it keeps its place. */
const CONSUMER_RETRIES = 30;
/** A consumer that has neither fetched nor beaten for so long will not do so again. */
const DEAD_AFTER_MS = 90_000;
const WATCH_EVERY_MS = 5_000;
/** How long a fetch waits for something to come; what comes ends it at once. Seeks and resumed partitions wait for its end. Each costs CPU, and a service has two or three groups. */
const FETCH_WAIT_MS = 250;
const FETCH_BYTES_PER_PARTITION = 1024 * 1024;
/**
 * The next fetch waits until the group has taken what the last one brought, so that there are no more fetches than transactions; but not longer than this,
 * for the group may be busy for long.
 */
const MAX_FETCH_REST_MS = 20;
/** Fetching pauses when so much waits for the handlers, and goes on at half of it: some 14 000 events of common size, half a second's work. */
const MAX_BUFFERED_BYTES = 8 * 1024 * 1024;
/** Offsets in Kafka are for lag tools only. */
const COMMIT_EVERY_MS = 5_000;
const FIRST_BACKOFF_MS = 200;
const MAX_BACKOFF_MS = 5_000;

/** The log over Kafka: a relay ships what this process (and others of its log) append, and each group is a Kafka consumer group. */
export class KafkaSource implements EventSource {
  private readonly logger = new Logger('Kafka');
  private readonly stopping = new AbortController();
  private readonly relay: KafkaRelay;
  private ready: Promise<void> = Promise.resolve();

  constructor(
    private readonly log: EventLog,
    leases: Leases,
    private readonly options: KafkaOptions,
  ) {
    this.relay = new KafkaRelay(log, leases, options, this.logger);
  }

  /** Does not wait for Kafka: the log keeps what cannot be shipped yet. */
  async start(): Promise<void> {
    this.ready = this.prepare();
    void this.ready.then(() => this.stopping.signal.aborted || this.relay.start());
  }

  async open(group: string, topics: readonly Topic[], progress: Progress): Promise<Feed> {
    return new KafkaFeed(group, this.log.options.source, topics, progress, this.options, this.ready, this.logger);
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.relay.stop();
  }

  private async prepare(): Promise<void> {
    for (let failures = 0; !this.stopping.signal.aborted; failures++) {
      try {
        return await ensureKafkaTopics(this.options);
      } catch (error) {
        this.logger.warn(`topics cannot be made yet: ${error instanceof Error ? error.message : String(error)}`);
        await pause(failures, this.stopping.signal);
      }
    }
  }
}

/** What was fetched of one partition and waits for the handlers. */
interface Partition {
  readonly topic: string;
  readonly bucket: number;
  records: LogRecord[];
  /** The offset that the next message of the partition will have, as the last fetch said. */
  end: number;
}

/**
 * A Kafka consumer that only fills a queue. Where it reads on is decided by the positions in the database; Kafka's own offsets are told for lag tools.
 * kafkajs is never trusted to bring a consumer back: one that crashes is replaced by a new one.
 */
class KafkaFeed implements Feed {
  private readonly wakeup = new Wakeup();
  private readonly stopping = new AbortController();
  private readonly groupId: string;
  private readonly topicNames: ReadonlyMap<string, Topic>;
  private readonly running: Promise<void>;
  private consumer: Consumer | undefined;
  private partitions = new Map<string, Partition>();
  /** Counts assignments. Positions are read, and partitions sought, once for each. */
  private assignment = 0;
  private soughtFor = 0;
  private bufferedBytes = 0;
  private paused = false;
  private takenBy: { take: Promise<void>; done: () => void } | undefined;
  private turn = 0;
  private aliveAt = 0;
  private commitsAt = 0;

  constructor(
    private readonly group: string,
    source: string,
    topics: readonly Topic[],
    private readonly progress: Progress,
    private readonly options: KafkaOptions,
    ready: Promise<void>,
    private readonly logger: Logger,
  ) {
    this.groupId = `${options.topicPrefix}${source}.${group}`;
    this.topicNames = new Map(topics.map((topic) => [options.topicPrefix + topic, topic]));
    this.running = this.keepConsuming(ready);
  }

  async take(maxRecords: number): Promise<LogRecord[]> {
    if (this.soughtFor !== this.assignment) {
      const { assignment } = this;
      // Others may have moved the positions of what is ours now.
      await this.progress.load();
      if (assignment !== this.assignment) return [];
      this.soughtFor = assignment;
      this.rewind();
    }
    this.commitLazily();
    this.wakeup.clear();
    const waiting = [...this.partitions.values()].filter(({ records }) => records.length > 0);
    const share = Math.ceil(maxRecords / Math.max(1, waiting.length));
    const taken: LogRecord[] = [];
    this.turn++;
    for (let i = 0; i < waiting.length && taken.length < maxRecords; i++) {
      const partition = waiting[(this.turn + i) % waiting.length]!;
      taken.push(...partition.records.splice(0, Math.min(share, maxRecords - taken.length)));
    }
    for (const { payload } of taken) this.bufferedBytes -= payload.length;
    if (this.paused && this.bufferedBytes < MAX_BUFFERED_BYTES / 2) this.resume();
    this.takenBy?.done();
    return taken;
  }

  async wait(maxMs: number): Promise<void> {
    await this.wakeup.wait(maxMs);
  }

  wake(): void {
    this.wakeup.wake();
  }

  owns(topic: string, bucket: number): boolean {
    return this.soughtFor === this.assignment && this.partitions.has(nameOf(topic, bucket));
  }

  rewind(): void {
    this.bufferedBytes = 0;
    for (const partition of this.partitions.values()) {
      partition.records = [];
      const offset = String(this.progress.nextOffset(partition.topic, partition.bucket));
      this.consumer?.seek({ topic: this.options.topicPrefix + partition.topic, partition: partition.bucket, offset });
    }
    if (this.paused) this.resume();
  }

  async lag(): Promise<ReadonlyMap<string, number>> {
    const lag = new Map<string, number>();
    for (const { topic, bucket, end } of this.partitions.values()) {
      lag.set(topic, (lag.get(topic) ?? 0) + Math.max(0, end - this.progress.nextOffset(topic, bucket)));
    }
    return lag;
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  /** Keeps one consumer running, until the feed is stopped. */
  private async keepConsuming(ready: Promise<void>): Promise<void> {
    const { signal } = this.stopping;
    await Promise.race([ready, once(signal, 'abort')]);
    for (let failures = 0; !signal.aborted; failures++) {
      const startedAt = performance.now();
      const consumer = kafkaClient(this.options, this.groupId).consumer({
        groupId: this.groupId,
        allowAutoTopicCreation: false,
        sessionTimeout: SESSION_TIMEOUT_MS,
        heartbeatInterval: HEARTBEAT_MS,
        rebalanceTimeout: REBALANCE_TIMEOUT_MS,
        maxWaitTimeInMs: FETCH_WAIT_MS,
        maxBytesPerPartition: FETCH_BYTES_PER_PARTITION,
        retry: { retries: CONSUMER_RETRIES, restartOnFailure: async () => false },
      });
      this.consumer = consumer;
      try {
        const over = AbortSignal.any([signal, this.listenTo(consumer)]);
        // Connecting and joining may take kafkajs half a minute of retries: whoever stops does not wait for it.
        await Promise.race([this.consume(consumer).then(() => this.watch(over)), once(over, 'abort')]);
      } catch (error) {
        this.logger.warn(`${this.groupId} cannot consume: ${error instanceof Error ? error.message : String(error)}`);
      }
      this.consumer = undefined;
      this.assign({});
      await close(consumer);
      if (performance.now() - startedAt > DEAD_AFTER_MS) failures = 0;
      await pause(failures, signal);
    }
  }

  private async consume(consumer: Consumer): Promise<void> {
    await consumer.connect();
    await consumer.subscribe({ topics: [...this.topicNames.keys()], fromBeginning: true });
    // All partitions of a fetch at once: receiving one does not wait for the others.
    const partitionsConsumedConcurrently = BUCKETS * this.topicNames.size;
    await consumer.run({ autoCommit: false, partitionsConsumedConcurrently, eachBatch: (payload) => this.receive(consumer, payload) });
  }

  /** The signal is given when the consumer has crashed. What is heard of one that was replaced is ignored. */
  private listenTo(consumer: Consumer): AbortSignal {
    const { CRASH, GROUP_JOIN, FETCH, HEARTBEAT } = consumer.events;
    const crashed = new AbortController();
    const alive = (): void => void (this.aliveAt = performance.now());
    alive();
    consumer.on(FETCH, alive);
    consumer.on(HEARTBEAT, alive);
    consumer.on(GROUP_JOIN, ({ payload }) => {
      if (this.consumer !== consumer) return;
      alive();
      rebalances.inc({ group: this.group });
      this.assign(payload.memberAssignment);
      // Nothing is fetched before the positions are known.
      this.pause();
    });
    consumer.on(CRASH, ({ payload }) => {
      consumerCrashes.inc({ group: this.group });
      this.logger.warn(`${this.groupId} crashed and is replaced: ${payload.error.message}`);
      crashed.abort();
    });
    return crashed.signal;
  }

  /** Resolves when the consumer has crashed, is to be stopped, or is found dead. */
  private async watch(over: AbortSignal): Promise<void> {
    while (!over.aborted) {
      if (performance.now() - this.aliveAt > DEAD_AFTER_MS) return this.logger.warn(`${this.groupId} shows no sign of life and is replaced`);
      await sleep(WATCH_EVERY_MS, undefined, { signal: over }).catch(() => undefined);
    }
  }

  private assign(topics: Record<string, number[]>): void {
    const partitions = Object.entries(topics).flatMap(([name, buckets]) =>
      buckets.map((bucket) => ({ topic: this.topicNames.get(name)!, bucket, records: [], end: 0 })),
    );
    this.partitions = new Map(partitions.map((partition) => [nameOf(partition.topic, partition.bucket), partition]));
    this.bufferedBytes = 0;
    this.paused = false;
    this.assignment++;
    this.wakeup.wake();
  }

  /** Lets kafkajs go on soon, so that it beats in time. Must never throw: a TypeError would end the consumer for good. */
  private async receive(consumer: Consumer, { batch, ...fetched }: EachBatchPayload): Promise<void> {
    // What was fetched before the seek is not what comes next.
    if (this.consumer !== consumer || this.soughtFor !== this.assignment || fetched.isStale()) return;
    const topic = this.topicNames.get(batch.topic)!;
    const partition = this.partitions.get(nameOf(topic, batch.partition));
    if (!partition) return;
    partition.end = Number(batch.highWatermark);
    for (const message of batch.messages) {
      const record = recordIn(topic, batch.partition, message);
      partition.records.push(record);
      this.bufferedBytes += record.payload.length;
    }
    if (!this.paused && this.bufferedBytes > MAX_BUFFERED_BYTES) this.pause();
    this.wakeup.wake();
    await this.nextTake();
  }

  private nextTake(): Promise<void> {
    if (!this.takenBy) {
      let done!: () => void;
      const take = new Promise<void>((resolve) => (done = resolve));
      const timer = setTimeout(() => this.takenBy?.done(), MAX_FETCH_REST_MS);
      this.takenBy = {
        take,
        done: () => {
          clearTimeout(timer);
          this.takenBy = undefined;
          done();
        },
      };
    }
    return this.takenBy.take;
  }

  private pause(): void {
    this.paused = true;
    this.consumer?.pause([...this.topicNames.keys()].map((topic) => ({ topic })));
  }

  private resume(): void {
    this.paused = false;
    this.consumer?.resume([...this.topicNames.keys()].map((topic) => ({ topic })));
  }

  private commitLazily(): void {
    if (performance.now() < this.commitsAt) return;
    const offsets = [...this.partitions.values()].map(({ topic, bucket }) => ({
      topic: this.options.topicPrefix + topic,
      partition: bucket,
      offset: String(this.progress.nextOffset(topic, bucket)),
    }));
    if (offsets.length === 0 || !this.consumer) return;
    // In an outage kafkajs tries for longer than until the next time.
    this.commitsAt = Infinity;
    const done = (): void => void (this.commitsAt = performance.now() + COMMIT_EVERY_MS);
    this.consumer.commitOffsets(offsets).then(done, done);
  }
}

const nameOf = (topic: string, bucket: number): string => `${topic}/${bucket}`;

async function pause(failures: number, signal: AbortSignal): Promise<void> {
  const waitMs = Math.min(FIRST_BACKOFF_MS * 2 ** failures, MAX_BACKOFF_MS) * (0.5 + Math.random() / 2);
  await sleep(waitMs, undefined, { signal }).catch(() => undefined);
}
