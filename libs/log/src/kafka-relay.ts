import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@nestjs/common';
import type { Producer } from 'kafkajs';
import { close, kafkaClient, type KafkaOptions } from './kafka-client.ts';
import { withOrigin } from './kafka-record.ts';
import type { AppendedRun, EventLog, StoredEvent, Stream } from './event-log.ts';
import type { Leases } from './lease.ts';
import { relayLagEvents } from './metrics.ts';
import { Wakeup } from './wakeup.ts';

const LEASE = 'relay';
const ACQUIRE_EVERY_MS = 500;
/** Of one partition in a request, and so many characters in all: brokers are made for batches of a megabyte. */
const MAX_BATCH = 500;
const MAX_BATCH_CHARS = 900_000;
const MAX_REQUEST_CHARS = 4_000_000;
const MAX_READ = 4_000;
/** What is appended goes on from memory, unless so much waits already (32 MB, when Kafka is away): then it is read from the log when its turn comes. */
const MAX_WAITING_CHARS = 16_000_000;
/** What other processes append to this log does not wake us: looked for often when some was found, rarely when not. */
const MIN_POLL_MS = 5;
const MAX_POLL_MS = 100;
/** After a request the relay rests as long as that took, up to this: what comes meanwhile shares the next one. */
const MAX_REST_MS = 20;
/** A relay that dies sends again what it sent since; consumers drop repeats. */
const SAVE_EVERY_MS = 250;
const REST_AFTER_FAILURE_MS = 500;
const ACK_TIMEOUT_MS = 10_000;

/** The only header: each costs kafkajs 4 µs a message. */
const HEADERS = { 'content-type': Buffer.from('application/cloudevents+json; charset=UTF-8') };

type Waiting = Pick<StoredEvent, 'pos' | 'key' | 'payload'>;

/** A bucket on its way to its partition. Positions only grow, except when it starts over: sent ≤ end ≤ last. */
interface Shipment extends Stream {
  /** The last position that Kafka has acknowledged. */
  sent: number;
  /** What of that is in the database. */
  saved: number;
  /** The last position that was taken up: sent, on its way, or waiting. */
  end: number;
  /** The last position that there is, as far as we know. */
  last: number;
  waiting: Waiting[];
  /** A request with it is on its way: there is one at a time, so that no batch overtakes the one before it. */
  busy: boolean;
  /** Not acknowledged with others: goes by itself until it is, so that one partition without a leader holds up no other. */
  alone: boolean;
}

/**
 * Ships what this log holds to Kafka, each bucket in order. One process of those that share a log does it.
 *
 * A request takes along what is ready of all buckets, because it costs kafkajs 0.4 ms whatever is in it. But kafkajs 2.2.4 says nothing of messages it has
 * lost when a leader moves in the middle of such a request: it takes the answer of the new leader to another partition for the one it waits for. So only
 * what the answer names is acknowledged, partition by partition, and the rest is sent again, by itself.
 *
 * The producer is not idempotent: sequence numbers of a failed batch are given to the next one. A batch is sent until it is acknowledged, and consumers drop
 * repeats by their position.
 */
export class KafkaRelay {
  private readonly wakeup = new Wakeup();
  private readonly stopping = new AbortController();
  private readonly sending = new Set<Promise<void>>();
  private shipments = new Map<string, Shipment>();
  private producer: Promise<Producer> | undefined;
  private running: Promise<void> | undefined;
  private stopListening: (() => void) | undefined;
  private owner = false;
  private isSendingTogether = false;
  private waitingChars = 0;
  private restsUntil = 0;
  private savesAt = 0;

  constructor(
    private readonly log: EventLog,
    private readonly leases: Leases,
    private readonly options: KafkaOptions,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.stopListening = this.log.onAppend((runs) => {
      for (const run of runs) this.takeUp(run);
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
        if (performance.now() >= this.savesAt) await this.save();
        if (performance.now() >= this.restsUntil) await this.ship();
        const wakesAt = this.restsUntil > performance.now() ? this.restsUntil : pollsAt;
        await this.wakeup.wait(Math.max(0, wakesAt - performance.now()));
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
    this.shipments = new Map();
    if (!(await this.leases.acquire(LEASE))) return false;
    await Promise.all(this.sending);
    this.waitingChars = 0;
    await this.log.dataSource.query(`INSERT INTO ${this.table} (topic, bucket) SELECT topic, bucket FROM ${this.log.schema}.log_head ON CONFLICT DO NOTHING`);
    this.shipments = new Map(
      (await this.heads('all')).map(({ last, saved, ...stream }) => [
        nameOf(stream),
        { ...stream, sent: saved, saved, end: saved, last, waiting: [], busy: false, alone: false },
      ]),
    );
    this.owner = true;
    return true;
  }

  /** What there is to ship, and how far it was shipped, as the database knows it; of all streams, or of those that are not shipped to their end. */
  private async heads(which: 'all' | 'unfinished'): Promise<(Stream & { last: number; saved: number })[]> {
    return this.log.dataSource.query(
      `SELECT topic, bucket, (next - 1)::float8 AS last, pos::float8 AS saved FROM ${this.log.schema}.log_head JOIN ${this.table} USING (topic, bucket)
       ${which === 'unfinished' ? 'WHERE next - 1 <> pos' : ''}`,
    );
  }

  /** Looks for what others have appended. True when there was some. Somebody who has moved a position back wants the events sent again. */
  private async poll(): Promise<boolean> {
    let found = false;
    let lag = 0;
    for (const { topic, bucket, last, saved } of await this.heads('unfinished')) {
      const shipment = this.shipments.get(nameOf({ topic, bucket }));
      if (shipment?.saved !== saved) throw new Error(`the position of ${topic}/${bucket} was moved to ${saved} by somebody else`);
      lag += last - shipment.sent;
      if (last <= shipment.last) continue;
      shipment.last = last;
      found = true;
    }
    relayLagEvents.set(lag);
    return found;
  }

  /** Takes events from memory where they follow what was taken up before. Else the position says that there are some to be read. */
  private takeUp({ topic, bucket, first, events }: AppendedRun): void {
    const shipment = this.shipments.get(nameOf({ topic, bucket }));
    if (!shipment) return;
    const follows = shipment.last === shipment.end && shipment.end + 1 === first;
    shipment.last = Math.max(shipment.last, first + events.length - 1);
    if (!follows || this.waitingChars > MAX_WAITING_CHARS) return;
    for (const [i, { key, payload }] of events.entries()) {
      shipment.waiting.push({ pos: first + i, key, payload });
      this.waitingChars += payload.length;
    }
    shipment.end = shipment.last;
  }

  private async ship(): Promise<void> {
    this.wakeup.clear();
    await this.readMissing();
    const ready = [...this.shipments.values()].filter(({ busy, waiting }) => !busy && waiting.length > 0);
    const together = ready.filter(({ alone }) => !alone);
    if (together.length > 0 && !this.isSendingTogether) {
      this.isSendingTogether = true;
      this.track(this.send(together).finally(() => (this.isSendingTogether = false)));
    }
    for (const shipment of ready) if (shipment.alone) this.track(this.send([shipment]));
  }

  /** Reads what was appended by others, or was too much to keep. */
  private async readMissing(): Promise<void> {
    const behind = [...this.shipments.values()].filter(({ busy, waiting, end, last }) => !busy && waiting.length === 0 && end < last);
    if (behind.length === 0) return;
    const cursors = behind.map(({ topic, bucket, end }) => ({ topic, bucket, after: end, maxRecords: MAX_BATCH }));
    for (const event of await this.log.read(cursors, MAX_READ)) {
      const shipment = this.shipments.get(nameOf(event))!;
      shipment.waiting.push(event);
      this.waitingChars += event.payload.length;
      shipment.end = event.pos;
      // Another process may be ahead of what we have heard.
      shipment.last = Math.max(shipment.last, event.pos);
    }
  }

  private track(work: Promise<void>): void {
    this.sending.add(work);
    void work.finally(() => {
      this.sending.delete(work);
      this.wakeup.wake();
    });
  }

  private async send(shipments: readonly Shipment[]): Promise<void> {
    const startedAt = performance.now();
    const batches = fitting(shipments);
    for (const { shipment, events } of batches) {
      shipment.busy = true;
      this.waitingChars -= charsOf(events);
    }
    const acknowledged = await this.request(batches);
    for (const { shipment, events } of batches) {
      shipment.busy = false;
      shipment.alone = !acknowledged.has(nameOf(shipment));
      if (!shipment.alone) {
        shipment.sent = events.at(-1)!.pos;
        continue;
      }
      this.waitingChars -= charsOf(shipment.waiting);
      shipment.waiting = [];
      shipment.end = shipment.sent;
    }
    const failed = batches.some(({ shipment }) => shipment.alone);
    this.restsUntil = performance.now() + (failed ? REST_AFTER_FAILURE_MS : Math.min(performance.now() - startedAt, MAX_REST_MS));
  }

  /** The names of the buckets whose batch has arrived. */
  private async request(batches: readonly Batch[]): Promise<Set<string>> {
    const producer = (this.producer ??= this.connectProducer());
    const { topicPrefix } = this.options;
    try {
      const connected = await producer;
      const replies = await connected.sendBatch({
        acks: -1,
        timeout: ACK_TIMEOUT_MS,
        topicMessages: batches.map(({ shipment: { topic, bucket }, events }) => ({
          topic: topicPrefix + topic,
          messages: events.map(({ key, pos, payload }) => ({
            key,
            partition: bucket,
            headers: HEADERS,
            value: withOrigin(payload, this.log.options.source, pos),
          })),
        })),
      });
      const answered = replies.filter(({ errorCode }) => errorCode === 0);
      const acknowledged = new Set(answered.map(({ topicName, partition }) => nameOf({ topic: topicName.slice(topicPrefix.length), bucket: partition })));
      const missing = batches.map(({ shipment }) => nameOf(shipment)).filter((name) => !acknowledged.has(name));
      if (missing.length > 0) this.logger.warn(`Kafka did not acknowledge ${missing.join(', ')}, which will be sent again`);
      return acknowledged;
    } catch (error) {
      const names = batches.map(({ shipment }) => nameOf(shipment)).join(', ');
      this.logger.warn(`${names} could not be sent and will be sent again: ${error instanceof Error ? error.message : String(error)}`);
      // What a producer believes of the cluster after its last retry is not worth having.
      if (this.producer === producer) void this.retireProducer();
      return new Set();
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
    const moved = [...this.shipments.values()].filter(({ sent, saved }) => sent !== saved).map((stream) => ({ stream, sent: stream.sent }));
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

interface Batch {
  readonly shipment: Shipment;
  readonly events: readonly Waiting[];
}

const charsOf = (events: readonly Waiting[]): number => events.reduce((chars, { payload }) => chars + payload.length, 0);

/** Takes from the shipments what one request may hold: something of the first one at least. */
function fitting(shipments: readonly Shipment[]): Batch[] {
  const batches: Batch[] = [];
  let requestChars = 0;
  for (const shipment of shipments) {
    if (requestChars > MAX_REQUEST_CHARS) break;
    let count = 0;
    let chars = 0;
    for (const { payload } of shipment.waiting) {
      if (count === MAX_BATCH || (count > 0 && chars + payload.length > MAX_BATCH_CHARS)) break;
      chars += payload.length;
      count++;
    }
    batches.push({ shipment, events: shipment.waiting.splice(0, count) });
    requestChars += chars;
  }
  return batches;
}
