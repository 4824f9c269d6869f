import type { Logger } from '@nestjs/common';
import type { Event, Topic } from '@tierline/events';
import { FencedError, HoleError, isConnectionError, isTransient, UnreadableEventError } from './errors.ts';
import { decodeEvent, type EventLog, type LogTransaction } from './event-log.ts';
import { groupByType } from './group-by-type.ts';
import { GroupPositions } from './positions.ts';
import { RetryQueue, type Failure, type RetryEvent } from './retry-queue.ts';
import type { EventSource, Feed, LogRecord } from './source.ts';

/** As many as one transaction takes: 500 reach 30k events/s per stage, more only add latency. */
const MAX_BATCH = 500;
/** An idle group asks this rarely; appends of its own process wake it at once. */
const IDLE_POLL_MS = 250;
/** Right after work there is often more, from processes that cannot wake us. */
const BUSY_POLL_MS = 10;
const OPERATOR_POLL_MS = 2_000;
const TRANSIENT_TRIES = 5;
const CONNECTION_BACKOFF_MS = 200;

/** Handles a run of events of one type in the transaction that moves the group's position. Throwing rolls everything back. */
export type Handler = (events: Event[], tx: LogTransaction) => Promise<void>;

export interface GroupOptions {
  name: string;
  topics: readonly Topic[];
  /** By event type. A type without a handler is none of this group's business and is passed over. */
  handlers: ReadonlyMap<string, Handler>;
  backoffMs?: readonly number[];
  maxAttempts?: number;
}

interface Decoded {
  record: LogRecord;
  key: string;
  type: string;
  /** Absent when no handler wants it, or it cannot be read. */
  event?: Event;
  unreadable?: Failure;
}

/**
 * One group of consumers of the log: takes what is ready, and in one transaction moves its position, lets the handlers work, and appends what they say.
 * One loop handles all buckets, so that an instance under little load makes few transactions.
 */
export class ConsumerGroup {
  private readonly positions: GroupPositions;
  private readonly retries: RetryQueue;
  private feed: Feed | undefined;
  private running: Promise<void> | undefined;
  private stopping = false;
  private asksRetriesAt = 0;
  /** Why the group stands still, if it does: shown by health checks. */
  stalled: HoleError | undefined;

  constructor(
    private readonly log: EventLog,
    private readonly source: EventSource,
    private readonly options: GroupOptions,
    private readonly logger: Logger,
  ) {
    this.positions = new GroupPositions(log, options.name);
    this.retries = new RetryQueue(log, options.name, options.backoffMs, options.maxAttempts);
  }

  get name(): string {
    return this.options.name;
  }

  async start(): Promise<void> {
    this.feed = await this.source.open(this.options.name, this.options.topics, this.positions);
    await this.startOver();
    this.running = this.run(this.feed);
  }

  /** Ends after the running transaction. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.feed?.wake();
    await this.running;
    await this.feed?.stop();
  }

  private async run(feed: Feed): Promise<void> {
    let waitMs = BUSY_POLL_MS;
    while (!this.stopping) {
      try {
        const records = await feed.take(MAX_BATCH);
        if (records.length > 0) await this.handle(this.decode(this.positions.fresh(records)));
        await this.retryDue(feed);
        this.stalled = undefined;
        waitMs = records.length > 0 ? BUSY_POLL_MS : Math.min(waitMs * 2, IDLE_POLL_MS);
        if (records.length === 0) await feed.wait(waitMs);
      } catch (error) {
        if (error instanceof HoleError) this.stalled = error;
        this.logger.error(`group ${this.name}: ${error instanceof Error ? error.message : String(error)}`);
        if (this.stopping) return;
        await feed.wait(CONNECTION_BACKOFF_MS);
        await this.startOver().catch(() => undefined);
      }
    }
  }

  /** Forgets everything in memory that a failed transaction or another owner may have made untrue. */
  private async startOver(): Promise<void> {
    await this.feed!.reset();
    await this.positions.load();
    await this.retries.load();
  }

  private decode(records: LogRecord[]): Decoded[] {
    return records.map((record) => {
      try {
        const event = decodeEvent(record.payload);
        if (!event) throw new UnreadableEventError('this release does not know the type or the version');
        return { record, key: event.key, type: event.type, ...(this.options.handlers.has(event.type) && { event }) };
      } catch (error) {
        return { record, ...glimpse(record.payload), unreadable: failureOf(error) };
      }
    });
  }

  /** Commits the batch, or cuts it in halves until the event that fails is alone: at most 2 log2(n) transactions for one poison event. */
  private async handle(batch: Decoded[]): Promise<void> {
    if (batch.length === 0) return;
    try {
      await this.patiently(() => this.commit(batch));
    } catch (error) {
      if (error instanceof FencedError || this.stopping) throw error;
      if (batch.length === 1) {
        await this.patiently(() => this.setAside(batch[0]!, failureOf(error)));
        return;
      }
      const middle = batch.length >> 1;
      await this.handle(batch.slice(0, middle));
      await this.handle(batch.slice(middle));
    }
  }

  private async commit(batch: Decoded[]): Promise<void> {
    await this.log.transaction(this.name, async (tx) => {
      await this.positions.advance(
        tx,
        batch.map(({ record }) => record),
      );
      const ready: Event[] = [];
      const behind: Decoded[] = [];
      for (const item of batch) {
        if (item.unreadable) await this.retries.addUnreadable(tx, item.record, item.key, item.type, item.unreadable);
        else if (item.event && this.retries.blocks(item.record.topic, item.key)) behind.push(item);
        else if (item.event) ready.push(item.event);
      }
      await this.retries.append(tx, behind);
      await this.dispatch(ready, tx);
    });
  }

  private async setAside(item: Decoded, failure: Failure): Promise<void> {
    await this.log.transaction(this.name, async (tx) => {
      await this.positions.advance(tx, [item.record]);
      await this.retries.addFailed(tx, item.record, item.key, item.type, failure);
    });
    this.logger.warn(`group ${this.name}: ${item.type} of ${item.key} set aside, will be tried again: ${failure.message}`);
  }

  private async dispatch(events: Event[], tx: LogTransaction): Promise<void> {
    for (const run of groupByType(events)) await this.options.handlers.get(run.type)!(run.events, tx);
  }

  /** Tries the failed events whose time has come; after a success the next of the same key follows at once. */
  private async retryDue(feed: Feed): Promise<void> {
    if (performance.now() < this.asksRetriesAt) return;
    // Even an empty queue is looked into now and then: an operator may have told a parked event to go again.
    this.asksRetriesAt = performance.now() + (this.retries.isEmpty ? OPERATOR_POLL_MS : IDLE_POLL_MS);
    for (let due = await this.retries.due(); due.length > 0 && !this.stopping; due = await this.retries.due()) {
      const mine = due.filter((event) => feed.owns(event.topic, event.bucket));
      if (mine.length === 0) return;
      for (const event of mine) await this.retry(event);
    }
  }

  private async retry(retry: RetryEvent): Promise<void> {
    const event = decodeEvent(retry.payload);
    try {
      await this.patiently(() =>
        this.log.transaction(this.name, async (tx) => {
          if ((await this.retries.takeOut(tx, retry)) && event) await this.dispatch([event], tx);
        }),
      );
    } catch (error) {
      const failure = failureOf(error);
      const parked = await this.patiently(() => this.log.transaction(this.name, (tx) => this.retries.failedAgain(tx, retry, failure)));
      if (parked) this.logger.error(`group ${this.name}: ${retry.type} of ${retry.key} parked after ${retry.attempts + 1} tries: ${failure.message}`);
    }
  }

  /** Repeats work that failed for a reason that has nothing to do with the event. Nothing is lost by waiting, so a lost connection is waited for without end. */
  private async patiently<T>(work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        const connection = isConnectionError(error);
        if (this.stopping || !(connection || (isTransient(error) && attempt < TRANSIENT_TRIES))) throw error;
        if (connection) this.logger.warn(`group ${this.name}: database not reachable, waiting`);
        await new Promise((done) => setTimeout(done, Math.min(50 * 2 ** Math.min(attempt, 6), 5_000) * (0.5 + Math.random() / 2)));
      }
    }
  }
}

function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return { code: 'Error', message: typeof error === 'string' ? error : JSON.stringify(error) };
  const { code } = error as { code?: unknown };
  return { code: typeof code === 'string' ? code : error.name, message: error.message };
}

/** What can be said about a payload that cannot be decoded. */
function glimpse(payload: string): { key: string; type: string } {
  try {
    const { subject, type } = JSON.parse(payload) as { subject?: unknown; type?: unknown };
    return { key: typeof subject === 'string' ? subject : '', type: typeof type === 'string' ? type : 'unknown' };
  } catch {
    return { key: '', type: 'unknown' };
  }
}
