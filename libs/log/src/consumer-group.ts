import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@nestjs/common';
import type { Event, Topic } from '@tierline/events';
import { decodeEvent, decodeForeignEvent, glimpse, knownTypeOf } from './envelope.ts';
import { FencedError, isConnectionError, isTransient, NotReplayableError, UnknownEventError } from './errors.ts';
import type { EventLog, LogTransaction } from './event-log.ts';
import { groupByType } from './group-by-type.ts';
import { batchSize, blockedKeys, holes, lagEvents, lagSeconds, retryBacklog, transactionSeconds } from './metrics.ts';
import { describeHole, GroupPositions, type Hole } from './positions.ts';
import { RetryQueue, type Failure, type ReadRecord, type RetryEvent, type RetryPolicy } from './retry-queue.ts';
import { FOREIGN, type EventSource, type Feed, type LogRecord, type Progress } from './source.ts';

/** As many as one transaction takes: 500 reach 30k events/s per stage, more only add latency. */
const MAX_BATCH = 500;
/** An idle group looks this rarely; what its own process appends, and what Kafka brings, wakes it at once. */
const IDLE_POLL_MS = 250;
/** Right after work there is often more, from processes that cannot wake us. */
const BUSY_POLL_MS = 10;
/**
 * After a batch that was not full a group rests as long as it worked, up to this: what comes meanwhile shares a transaction. When the machine is busy
 * that is what keeps it from being busy with transactions of one event each.
 */
const MAX_REST_MS = 20;
/** How often a group asks whether a failed event is due: when some wait, and when only an operator could have told one to go again. */
const RETRY_POLL_MS = 250;
const OPERATOR_POLL_MS = 2_000;
/** Retries take turns with new events, so that a long backlog of one key does not hold up the others. */
const RETRY_TURN_MS = 50;
/** What was passed over is noted after this, if nothing was handled meanwhile: a restart passes no more than that over again. */
const NOTE_PASSED_OVER_MS = 1_000;
const TRANSIENT_TRIES = 5;
const FIRST_BACKOFF_MS = 50;
const MAX_BACKOFF_MS = 1_000;

/** Handles a run of events of one type in the transaction that moves the group's position. Throwing rolls everything back. */
export type Handler = (events: Event[], tx: LogTransaction) => Promise<void>;

export interface GroupOptions {
  readonly name: string;
  readonly topics: readonly Topic[];
  /** By event type. A type without a handler is none of this group's business and is passed over. */
  readonly handlers: ReadonlyMap<string, Handler>;
  readonly replayable: boolean;
  readonly retry?: RetryPolicy;
}

interface Decoded extends ReadRecord {
  /** Absent when no handler wants it, or it cannot be read. */
  readonly event?: Event | undefined;
  readonly unreadable?: Failure;
}

/**
 * One group of consumers of the log: takes what is ready, and in one transaction moves its position, lets the handlers work, and appends what they say.
 * One loop handles all buckets, so that an instance under little load makes few transactions.
 */
export class ConsumerGroup {
  private readonly positions: GroupPositions;
  private readonly retries: RetryQueue;
  private readonly stopping = new AbortController();
  private feed: Feed | undefined;
  private running: Promise<void> | undefined;
  private mustStartOver = true;
  private asksRetriesAt = 0;
  private notesPassedOverAt = Infinity;
  /** When the first event of the batch at hand was appended, in ms since the epoch. */
  private oldestAt: number | undefined;
  private announced = new Set<string>();

  constructor(
    private readonly log: EventLog,
    private readonly source: EventSource,
    private readonly options: GroupOptions,
    private readonly logger: Logger,
  ) {
    this.positions = new GroupPositions(log, options.name);
    this.retries = new RetryQueue(log, options.name, options.retry ?? {});
  }

  get name(): string {
    return this.options.name;
  }

  /** Where the group stands still because an event is missing. */
  get holes(): readonly Hole[] {
    return this.positions.holes;
  }

  async start(): Promise<void> {
    const progress: Progress = {
      last: (source, topic, bucket) => this.positions.last(source, topic, bucket),
      nextOffset: (topic, bucket) => this.positions.nextOffset(topic, bucket),
      isStuck: (source, topic, bucket) => this.positions.isStuck(source, topic, bucket),
      load: () => this.load(),
    };
    this.feed = await this.source.open(this.name, this.options.topics, progress);
    this.running = this.run(this.feed);
  }

  /** Brings the gauges up to date. */
  async measure(): Promise<void> {
    const group = this.name;
    const lag = await this.feed?.lag();
    for (const topic of this.options.topics) lagEvents.set({ group, topic }, lag?.get(topic) ?? 0);
    lagSeconds.set({ group }, this.oldestAt === undefined ? 0 : Math.max(0, Date.now() - this.oldestAt) / 1000);
    holes.set({ group }, this.holes.length);
    blockedKeys.set({ group }, this.retries.blockedKeys);
    const { waiting, parked } = await this.retries.counts();
    retryBacklog.set({ group, state: 'waiting' }, waiting);
    retryBacklog.set({ group, state: 'parked' }, parked);
  }

  /** Ends after the running transaction. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.feed?.wake();
    await this.running;
    // Left undone, it is passed over again.
    await this.notePassedOver().catch(() => undefined);
    await this.feed?.stop();
  }

  /** Moves the group back. The running transaction is fenced by it, as by another owner, and the group starts over. */
  async replay(after: number, actor: string): Promise<void> {
    if (!this.options.replayable) throw new NotReplayableError(this.name);
    await this.log.transaction('operator', async (tx) => {
      await this.positions.moveBack(tx, after);
      await this.retries.forget(tx, after);
      await tx.query(`INSERT INTO ${this.log.schema}.parked_audit (actor, action, grp) VALUES ($1, $2, $3)`, [actor, `replay after ${after}`, this.name]);
    });
    this.mustStartOver = true;
    this.feed?.wake();
  }

  private async run(feed: Feed): Promise<void> {
    let pollMs = BUSY_POLL_MS;
    for (let failures = 0; !this.stopping.signal.aborted;) {
      try {
        if (this.mustStartOver) await this.startOver(feed);
        const startedAt = performance.now();
        const records = await feed.take(MAX_BATCH);
        const fresh = this.positions.fresh(records);
        this.announceHoles();
        if (fresh.length > 0) await this.handleOrPassOver(this.decode(fresh));
        if (performance.now() >= this.notesPassedOverAt) await this.notePassedOver();
        this.oldestAt = undefined;
        const moreRetries = await this.retryDue(feed);
        if (this.positions.mustReread) this.mustStartOver = true;
        failures = 0;
        pollMs = fresh.length > 0 ? BUSY_POLL_MS : Math.min(pollMs * 2, IDLE_POLL_MS);
        if (records.length === MAX_BATCH || moreRetries || this.mustStartOver) continue;
        if (fresh.length > 0) await this.sleep(Math.min(performance.now() - startedAt, MAX_REST_MS));
        await feed.wait(pollMs);
      } catch (error) {
        if (this.stopping.signal.aborted) break;
        this.mustStartOver = true;
        this.logger.warn(`group ${this.name} starts over: ${error instanceof Error ? error.message : String(error)}`);
        await this.pause(failures++);
      }
    }
  }

  /** Forgets everything in memory that a failed transaction or another owner may have made untrue. */
  private async startOver(feed: Feed): Promise<void> {
    this.mustStartOver = false;
    await this.load();
    feed.rewind();
  }

  private async load(): Promise<void> {
    await this.positions.load();
    await this.retries.load();
  }

  private announceHoles(): void {
    const holes = new Set(this.positions.holes.map(describeHole));
    for (const hole of holes) if (!this.announced.has(hole)) this.logger.error(`group ${this.name} stands still: ${hole}`);
    this.announced = holes;
  }

  private decode(records: readonly LogRecord[]): Decoded[] {
    return records.map((record) => {
      const known = record.source === FOREIGN ? undefined : knownTypeOf(record.payload);
      if (known !== undefined && !this.options.handlers.has(known)) return { record, key: '', type: known };
      try {
        const event = (record.event ??= this.decodeOne(record));
        return { record, key: event.key, type: event.type, event: this.options.handlers.has(event.type) ? event : undefined };
      } catch (error) {
        return { record, ...glimpse(record.payload), unreadable: failureOf(error) };
      }
    });
  }

  private decodeOne({ source, payload }: LogRecord): Event {
    const event = source === FOREIGN ? decodeForeignEvent(payload) : decodeEvent(payload);
    if (!event) throw new UnknownEventError();
    return this.log.options.checkEvents ? deepFreeze(event) : event;
  }

  /** Many groups read topics of which they want few events: a batch that none of their handlers is for costs no transaction. */
  private async handleOrPassOver(batch: readonly Decoded[]): Promise<void> {
    if (batch.some(({ event, unreadable }) => event || unreadable)) return await this.handle(batch);
    this.positions.passOver(recordsOf(batch));
    if (this.notesPassedOverAt === Infinity) this.notesPassedOverAt = performance.now() + NOTE_PASSED_OVER_MS;
  }

  private async notePassedOver(): Promise<void> {
    this.notesPassedOverAt = Infinity;
    if (this.positions.isAhead) await this.patiently(() => this.commit([]));
  }

  /**
   * Commits the batch, or as much of it as can be, and sets aside what cannot. The first event that fails is found by halving; then all that is left
   * is tried at once, which costs log2(n) + 3 transactions for one poison event, and with each further one in the batch half as much is tried.
   */
  private async handle(batch: readonly Decoded[]): Promise<void> {
    const oldest = batch.find(({ event }) => event)?.event?.time;
    this.oldestAt = oldest === undefined ? undefined : Date.parse(oldest);
    let setAside = 0;
    /** How many of the first ones are known to hold a failing event. */
    let suspects = 0;
    for (let done = 0; done < batch.length;) {
      const left = batch.length - done;
      const size = suspects > 0 ? Math.ceil(suspects / 2) : Math.max(1, left >> Math.max(0, setAside - 1));
      const piece = batch.slice(done, done + size);
      try {
        await this.patiently(() => this.commit(piece));
        done += size;
        suspects = Math.max(0, suspects - size);
      } catch (error) {
        if (error instanceof FencedError || this.stopping.signal.aborted) throw error;
        suspects = size;
        if (size > 1) continue;
        await this.patiently(() => this.setAside(piece[0]!, failureOf(error)));
        setAside++;
        done++;
        suspects = 0;
      }
    }
  }

  private async commit(batch: readonly Decoded[]): Promise<void> {
    const end = transactionSeconds.startTimer({ group: this.name });
    batchSize.observe({ group: this.name }, batch.length);
    await this.log
      .transaction(this.name, async (tx) => {
        await this.positions.advance(tx, recordsOf(batch));
        const ready: Event[] = [];
        const behind: Decoded[] = [];
        for (const item of batch) {
          if (item.unreadable) await this.retries.addUnreadable(tx, item, item.unreadable);
          else if (item.event && this.retries.blocks(item.record.topic, item.key)) behind.push(item);
          else if (item.event) ready.push(item.event);
        }
        await this.retries.append(tx, behind);
        await this.dispatch(ready, tx);
      })
      .finally(end);
  }

  private async setAside(item: Decoded, failure: Failure): Promise<void> {
    await this.log.transaction(this.name, async (tx) => {
      await this.positions.advance(tx, [item.record]);
      await this.retries.addFailed(tx, item, failure);
    });
    this.asksRetriesAt = 0;
    this.logger.warn(`group ${this.name}: ${item.type} of ${item.key} set aside, will be tried again: ${failure.message}`);
  }

  private async dispatch(events: readonly Event[], tx: LogTransaction): Promise<void> {
    for (const run of groupByType(events)) await this.options.handlers.get(run.type)!(run.events, tx);
  }

  /** Tries the failed events whose time has come. True when there may be more at once. */
  private async retryDue(feed: Feed): Promise<boolean> {
    const startedAt = performance.now();
    if (startedAt < this.asksRetriesAt) return false;
    const isMyTurn = (): boolean => performance.now() - startedAt < RETRY_TURN_MS && !this.stopping.signal.aborted;
    const due = (await this.retries.due()).filter((event) => feed.owns(event.topic, event.bucket));
    for (const event of due) if (isMyTurn()) await this.retry(event, isMyTurn);
    // Even an empty queue is looked into now and then: an operator may have told a parked event to go again.
    if (due.length === 0) this.asksRetriesAt = startedAt + (this.retries.blockedKeys > 0 ? RETRY_POLL_MS : OPERATOR_POLL_MS);
    return due.length > 0;
  }

  /** Tries the first event of a key alone, then twice as many after each success, until one fails or nothing of the key is left. */
  private async retry(due: RetryEvent, isMyTurn: () => boolean): Promise<void> {
    for (let count = 1; isMyTurn();) {
      let taken: RetryEvent[] = [];
      try {
        await this.patiently(() =>
          this.log.transaction(this.name, async (tx) => {
            taken = await this.retries.takeOut(tx, due, count);
            await this.dispatch(this.decodeAgain(taken), tx);
          }),
        );
        if (taken.length < count) return;
        count = Math.min(count * 2, MAX_BATCH);
      } catch (error) {
        if (taken.length === 0 || this.stopping.signal.aborted) throw error;
        if (count === 1) return await this.failedAgain(taken[0]!, failureOf(error));
        count = 1;
      }
    }
  }

  private decodeAgain(records: readonly RetryEvent[]): Event[] {
    return this.decode(records).flatMap(({ event, unreadable }) => {
      if (unreadable) throw Object.assign(new Error(unreadable.message), { code: unreadable.code });
      return event ?? [];
    });
  }

  private async failedAgain(event: RetryEvent, failure: Failure): Promise<void> {
    const parked = await this.patiently(() => this.log.transaction(this.name, (tx) => this.retries.failedAgain(tx, event, failure)));
    if (parked) this.logger.error(`group ${this.name}: ${event.type} of ${event.key} parked after ${event.attempts + 1} tries: ${failure.message}`);
  }

  /** Repeats work that failed for a reason that has nothing to do with the event. Nothing is lost by waiting, so a lost connection is waited for without end. */
  private async patiently<T>(work: () => Promise<T>): Promise<T> {
    for (let failures = 0; ;) {
      try {
        return await work();
      } catch (error) {
        const connection = isConnectionError(error);
        if (this.stopping.signal.aborted || !(connection || (isTransient(error) && failures + 1 < TRANSIENT_TRIES))) throw error;
        if (connection) this.logger.warn(`group ${this.name} waits for the database: ${(error as Error).message}`);
        await this.pause(failures++);
      }
    }
  }

  /** Waits longer after each failure in a row, with jitter, and not at all when stopping. */
  private async pause(failures: number): Promise<void> {
    await this.sleep(Math.min(FIRST_BACKOFF_MS * 2 ** failures, MAX_BACKOFF_MS) * (0.5 + Math.random() / 2));
  }

  private async sleep(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.stopping.signal }).catch(() => undefined);
  }
}

const recordsOf = (batch: readonly ReadRecord[]): LogRecord[] => batch.map(({ record }) => record);

function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return { code: 'Error', message: typeof error === 'string' ? error : JSON.stringify(error) };
  const { code } = error as { code?: unknown };
  return { code: typeof code === 'string' ? code : error.name, message: error.message };
}

/** So that a handler that changes what other groups share fails where events are checked. */
function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) deepFreeze(part);
  return Object.freeze(value);
}
