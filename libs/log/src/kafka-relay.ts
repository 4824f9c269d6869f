import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@nestjs/common';
import type { Producer } from 'kafkajs';
import { close, kafkaClient, type KafkaOptions } from './kafka-client.ts';
import { withOrigin } from './kafka-record.ts';
import type { EventLog, StoredEvent, Stream } from './event-log.ts';
import type { Leases } from './lease.ts';
import { relayLagEvents } from './metrics.ts';
import { Wakeup } from './wakeup.ts';

const LEASE = 'relay';
const ACQUIRE_EVERY_MS = 500;
/** Of one partition at once: more make no difference to the rate, and kafkajs copies a batch for each message in it. */
const MAX_BATCH = 500;
const MAX_READ = 4_000;
/** A batch beyond this goes in several: brokers are made for batches of a megabyte. */
const MAX_BATCH_CHARS = 900_000;
/** What other processes append to this log does not wake us: looked for often when some was found, rarely when not. */
const MIN_POLL_MS = 5;
const MAX_POLL_MS = 100;
/** After it has read the relay rests as long as that took, up to this: what is appended meanwhile shares a batch. */
const MAX_REST_MS = 20;
/** A relay that dies sends again what it sent since; consumers drop repeats. */
const SAVE_EVERY_MS = 250;
const REST_AFTER_FAILURE_MS = 500;
const ACK_TIMEOUT_MS = 10_000;

/** The only header: each costs kafkajs 4 µs a message. */
const HEADERS = { 'content-type': Buffer.from('application/cloudevents+json; charset=UTF-8') };

interface Shipped extends Stream {
  /** The last position that Kafka has acknowledged. */
  sent: number;
  /** What of that is in the database. */
  saved: number;
  /** A send is on its way: there is one at a time, so that no batch overtakes the one before it. */
  busy: boolean;
  /** There is more than was read. */
  dirty: boolean;
}

/**
 * Ships what this log holds to Kafka, bucket by bucket in order. One process of those that share a log does it.
 *
 * kafkajs 2.2.4 can lose messages without an error when a leader moves during a `send()` to several partitions (it takes the answer of the new leader
 * for another partition for the one it waits for): each send goes to one partition, and its reply is checked. It is not idempotent: sequence numbers
 * of a failed batch are given to the next one. So a batch is sent again until it is acknowledged, and consumers drop repeats by their position.
 */
export class KafkaRelay {
  private readonly wakeup = new Wakeup();
  private readonly stopping = new AbortController();
  private readonly sending = new Set<Promise<void>>();
  private streams = new Map<string, Shipped>();
  private producer: Promise<Producer> | undefined;
  private running: Promise<void> | undefined;
  private stopListening: (() => void) | undefined;
  private owner = false;
  private restsUntil = 0;
  private savesAt = 0;

  constructor(
    private readonly log: EventLog,
    private readonly leases: Leases,
    private readonly options: KafkaOptions,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.stopListening = this.log.onAppend((streams) => {
      for (const stream of streams) this.markDirty(stream);
      this.wakeup.wake();
    });
    this.running = this.run();
  }

  /** Ends when what is on its way has arrived. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.stopListening?.();
    this.wakeup.wake();
    await this.running;
    await Promise.all(this.sending);
    await this.save().catch(() => undefined);
    await this.leases.release(LEASE);
    await this.retireProducer();
  }

  private async run(): Promise<void> {
    let pollMs = MIN_POLL_MS;
    let pollsAt = 0;
    while (!this.stopping.signal.aborted) {
      try {
        if (!(await this.isOwner())) {
          await this.pause(ACQUIRE_EVERY_MS);
          continue;
        }
        if (performance.now() >= pollsAt) {
          pollMs = (await this.poll()) ? MIN_POLL_MS : Math.min(pollMs * 2, MAX_POLL_MS);
          pollsAt = performance.now() + pollMs;
        }
        const restMs = this.restsUntil - performance.now();
        const startedAt = performance.now();
        if (restMs <= 0 && (await this.shipDirty())) await this.pause(Math.min(performance.now() - startedAt, MAX_REST_MS));
        if (performance.now() >= this.savesAt) await this.save();
        await this.wakeup.wait(Math.max(restMs, pollsAt - performance.now(), 0));
      } catch (error) {
        if (this.stopping.signal.aborted) return;
        this.owner = false;
        this.logger.warn(`the relay starts over: ${error instanceof Error ? error.message : String(error)}`);
        await this.pause(ACQUIRE_EVERY_MS);
      }
    }
  }

  private async isOwner(): Promise<boolean> {
    if (this.leases.holds(LEASE) && this.owner) return true;
    this.owner = false;
    if (!(await this.leases.acquire(LEASE))) return false;
    await Promise.all(this.sending);
    await this.log.dataSource.query(`INSERT INTO ${this.table} (topic, bucket) SELECT topic, bucket FROM ${this.log.schema}.log_head ON CONFLICT DO NOTHING`);
    const heads = await this.heads();
    this.streams = new Map(heads.map(({ last, saved, ...stream }) => [nameOf(stream), { ...stream, sent: saved, saved, busy: false, dirty: last > saved }]));
    this.owner = true;
    return true;
  }

  /** What there is to ship, and how far it was shipped, as the database knows it. */
  private async heads(): Promise<(Stream & { last: number; saved: number })[]> {
    return this.log.dataSource.query(
      `SELECT topic, bucket, (next - 1)::float8 AS last, pos::float8 AS saved FROM ${this.log.schema}.log_head JOIN ${this.table} USING (topic, bucket)`,
    );
  }

  /** Looks for what others have appended. True when there was some. Somebody who has moved a position back wants the events sent again. */
  private async poll(): Promise<boolean> {
    let found = false;
    let lag = 0;
    for (const { topic, bucket, last, saved } of await this.heads()) {
      const stream = this.streams.get(nameOf({ topic, bucket }));
      if (stream?.saved !== saved) throw new Error(`the position of ${topic}/${bucket} was moved to ${saved} by somebody else`);
      lag += last - stream.sent;
      if (last <= stream.sent || stream.busy || stream.dirty) continue;
      stream.dirty = true;
      found = true;
    }
    relayLagEvents.set(lag);
    return found;
  }

  private markDirty(stream: Stream): void {
    const shipped = this.streams.get(nameOf(stream));
    if (shipped) shipped.dirty = true;
  }

  /** Reads what is new in the buckets that have nothing on its way, and sends it without waiting for the acknowledgements. True when it had to read. */
  private async shipDirty(): Promise<boolean> {
    this.wakeup.clear();
    const streams = [...this.streams.values()].filter(({ dirty, busy }) => dirty && !busy);
    if (streams.length === 0) return false;
    for (const stream of streams) stream.dirty = false;
    const events = await this.log.read(
      streams.map(({ topic, bucket, sent }) => ({ topic, bucket, after: sent, maxRecords: MAX_BATCH })),
      MAX_READ,
    );
    const isFull = events.length === MAX_READ;
    // One that came away empty from a full read has its turn when the others are on their way.
    for (const stream of streams) stream.dirty ||= isFull;
    if (isFull) this.wakeup.wake();
    for (let from = 0, to = 1; from < events.length; from = to++) {
      const name = nameOf(events[from]!);
      while (to < events.length && nameOf(events[to]!) === name) to++;
      this.track(this.ship(this.streams.get(name)!, events.slice(from, to)));
    }
    return true;
  }

  private track(work: Promise<void>): void {
    this.sending.add(work);
    void work.finally(() => this.sending.delete(work));
  }

  private async ship(stream: Shipped, events: readonly StoredEvent[]): Promise<void> {
    const { topic, bucket } = stream;
    const batch = events.slice(0, fitting(events));
    stream.busy = true;
    const producer = (this.producer ??= this.connectProducer());
    try {
      const messages = batch.map(({ key, pos, payload }) => ({
        key,
        partition: bucket,
        headers: HEADERS,
        value: withOrigin(payload, this.log.options.source, pos),
      }));
      const connected = await producer;
      const replies = await connected.send({ topic: this.options.topicPrefix + topic, acks: -1, timeout: ACK_TIMEOUT_MS, messages });
      const [reply] = replies;
      if (replies.length !== 1 || reply?.partition !== bucket || reply.errorCode !== 0) throw new Error(`unexpected reply ${JSON.stringify(replies)}`);
      stream.sent = batch.at(-1)!.pos;
      if (batch.length < events.length || events.length === MAX_BATCH) stream.dirty = true;
    } catch (error) {
      stream.dirty = true;
      this.restsUntil = performance.now() + REST_AFTER_FAILURE_MS;
      this.logger.warn(`${topic}/${bucket} could not be sent and will be sent again: ${error instanceof Error ? error.message : String(error)}`);
      // What a producer believes of the cluster after its last retry is not worth having.
      if (this.producer === producer) void this.retireProducer();
    } finally {
      stream.busy = false;
      if (stream.dirty) this.wakeup.wake();
    }
  }

  private async connectProducer(): Promise<Producer> {
    const producer = kafkaClient(this.options, `tierline-${this.log.options.source}`).producer({
      idempotent: false,
      allowAutoTopicCreation: false,
      createPartitioner:
        () =>
        ({ message }) =>
          message.partition!,
    });
    await producer.connect();
    return producer;
  }

  /** Closes the producer when nothing of it is on its way: a send that is retried would connect it again. */
  private async retireProducer(): Promise<void> {
    const producer = this.producer;
    this.producer = undefined;
    await Promise.all(this.sending);
    await producer?.then(close, () => undefined);
  }

  /** Notes what was acknowledged. Fails when another relay has noted something else. */
  private async save(): Promise<void> {
    this.savesAt = performance.now() + SAVE_EVERY_MS;
    const moved = [...this.streams.values()].filter(({ sent, saved }) => sent !== saved).map((stream) => ({ stream, sent: stream.sent }));
    if (moved.length === 0) return;
    // From TypeORM, an UPDATE comes back as [rows, count].
    const [, count] = await this.log.dataSource.query<[unknown[], number]>(
      `UPDATE ${this.table} r SET pos = m.sent FROM unnest($1::text[], $2::smallint[], $3::bigint[], $4::bigint[]) AS m(topic, bucket, saved, sent)
       WHERE r.topic = m.topic AND r.bucket = m.bucket AND r.pos = m.saved`,
      [
        moved.map(({ stream }) => stream.topic),
        moved.map(({ stream }) => stream.bucket),
        moved.map(({ stream }) => stream.saved),
        moved.map(({ sent }) => sent),
      ],
    );
    if (count !== moved.length) throw new Error('a position was moved by another relay, or by an operator');
    for (const { stream, sent } of moved) stream.saved = sent;
  }

  private get table(): string {
    return `${this.log.schema}.relay_position`;
  }

  private async pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.stopping.signal }).catch(() => undefined);
  }
}

const nameOf = ({ topic, bucket }: Stream): string => `${topic}/${bucket}`;

/** How many events of the first ones make a batch that a broker takes; at least one. */
function fitting(events: readonly StoredEvent[]): number {
  let chars = 0;
  const tooMany = events.findIndex(({ payload }) => (chars += payload.length) > MAX_BATCH_CHARS);
  return tooMany === -1 ? events.length : Math.max(1, tooMany);
}
