import { allEvents, eventDefinition, type DataOf, type Event, type EventDefinition } from '@tierline/events';
import { textArray, Wakeup, type EventLog, type Leases, type LogTransaction } from '@tierline/log';
import type { Logger } from '@nestjs/common';

/** As many as one transaction fires. */
const MAX_FIRE = 1_000;
/** How long the worker sleeps at most: timers armed by other processes do not wake it. */
const MAX_SLEEP_MS = 250;
/** Due timers that a transaction is just moving or cancelling are looked at again after this. */
const LOCKED_MS = 10;
const LEASE = 'timers';

/** What this release can append. A timer of another type waits, due, for a process that knows it. */
const KNOWN_TYPES = allEvents.map(({ type, version }) => `${type}/${version}`);

/** A timer to arm: `event` is appended at `dueAt` or as soon after as can be, never before, by the database's clock. */
export interface Timer<D extends EventDefinition = EventDefinition> {
  /** Unique; arming a name again moves its timer. */
  readonly name: string;
  readonly dueAt: Date;
  readonly definition: D;
  readonly key: string;
  readonly data: DataOf<D>;
  readonly causedBy?: Pick<Event, 'id'> | undefined;
}

interface TimerRow {
  name: string;
  type: string;
  version: number;
  key: string;
  data: string;
  caused_by: string | null;
}

/**
 * A timer is a row that becomes an event: firing deletes the row and appends the event in one transaction, so each fires exactly once,
 * whatever crashes. Overdue timers fire in the order in which they were due.
 */
export class Timers {
  private readonly pending = new WeakMap<LogTransaction, Map<string, Timer | undefined>>();
  private readonly wakeup = new Wakeup();
  private running: Promise<void> | undefined;
  private stopping = false;
  /** By the database's clock, in ms since 1970. A timer armed for an earlier time wakes the worker. */
  private nextDueAt = Number.POSITIVE_INFINITY;

  constructor(
    private readonly log: EventLog,
    private readonly leases: Leases,
    private readonly logger: Logger,
  ) {}

  /** Arms the timer when `tx` commits, or moves the one of the same name. Throws when events are checked and the data does not fit. */
  arm<D extends EventDefinition>(tx: LogTransaction, timer: Timer<D>): void {
    // Here the fault has an author; when the timer fires, nobody is left to be told.
    if (this.log.options.checkEvents) timer.definition.schema.parse(timer.data);
    this.changesOf(tx).set(timer.name, timer);
  }

  /** Disarms the timer when `tx` commits. Its event may have been appended already: a consumer must know when it is no longer meant. */
  cancel(tx: LogTransaction, name: string): void {
    this.changesOf(tx).set(name, undefined);
  }

  start(): void {
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.stopping = true;
    this.wakeup.wake();
    await this.running;
    await this.leases.release(LEASE);
  }

  private changesOf(tx: LogTransaction): Map<string, Timer | undefined> {
    let changes = this.pending.get(tx);
    if (!changes) {
      const made = new Map<string, Timer | undefined>();
      this.pending.set(tx, (changes = made));
      tx.beforeCommit(() => this.write(tx, made));
    }
    return changes;
  }

  private async write(tx: LogTransaction, changes: Map<string, Timer | undefined>): Promise<void> {
    // One order for everybody who touches several timers.
    const names = [...changes.keys()].sort();
    const cancelled = names.filter((name) => !changes.get(name));
    const armed = names.flatMap((name) => changes.get(name) ?? []);
    if (cancelled.length > 0) {
      await tx.query(`DELETE FROM ${this.log.schema}.timer WHERE name = ANY($1::text[])`, [cancelled]);
    }
    if (armed.length === 0) return;
    await tx.query(
      `INSERT INTO ${this.log.schema}.timer (name, due_at, type, version, key, data, caused_by)
       SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::text[], $4::int[], $5::text[], $6::text[], $7::uuid[])
       ON CONFLICT (name) DO UPDATE SET due_at = excluded.due_at, type = excluded.type, version = excluded.version, key = excluded.key, data = excluded.data, caused_by = excluded.caused_by`,
      [
        textArray(armed.map((timer) => timer.name)),
        armed.map((timer) => timer.dueAt.toISOString()),
        textArray(armed.map((timer) => timer.definition.type)),
        armed.map((timer) => timer.definition.version),
        textArray(armed.map((timer) => timer.key)),
        textArray(armed.map((timer) => JSON.stringify(timer.data))),
        armed.map((timer) => timer.causedBy?.id ?? null),
      ],
    );
    const earliest = armed.reduce((least, timer) => Math.min(least, timer.dueAt.getTime()), Number.POSITIVE_INFINITY);
    tx.committed.push(() => {
      if (earliest < this.nextDueAt) this.wakeup.wake();
    });
  }

  private async run(): Promise<void> {
    while (!this.stopping) {
      try {
        const sleepMs = (await this.isOwner()) ? await this.fireDue() : MAX_SLEEP_MS;
        if (sleepMs > 0) await this.wakeup.wait(sleepMs);
      } catch (error) {
        this.logger.warn(`timers not fired, tried again: ${error instanceof Error ? error.message : String(error)}`);
        await this.wakeup.wait(MAX_SLEEP_MS);
      }
    }
  }

  private async isOwner(): Promise<boolean> {
    return this.leases.holds(LEASE) || (await this.leases.acquire(LEASE));
  }

  /** Fires what is due and returns how long to sleep: 0 when there may be more. */
  private async fireDue(): Promise<number> {
    // What is armed while we look may come too late to be seen: whatever it is, it wakes us.
    this.nextDueAt = Number.POSITIVE_INFINITY;
    // `now()` and not `clock_timestamp()`: a volatile function cannot bound an index scan.
    const [next] = await this.log.dataSource.query<{ now_ms: number; due_ms: number | null }[]>(
      `SELECT extract(epoch FROM now())::float8 * 1000 AS now_ms,
         (SELECT extract(epoch FROM due_at)::float8 * 1000 FROM ${this.table} WHERE type || '/' || version = ANY($1) ORDER BY due_at, name LIMIT 1) AS due_ms`,
      [KNOWN_TYPES],
    );
    const { now_ms: nowMs, due_ms: dueMs } = next!;
    if (dueMs === null) return MAX_SLEEP_MS;
    this.nextDueAt = dueMs;
    // A timeout may end up to a millisecond early; a timer may not.
    if (dueMs > nowMs) return Math.min(Math.ceil(dueMs - nowMs) + 1, MAX_SLEEP_MS);
    return (await this.log.transaction('timers', (tx) => this.fire(tx))) > 0 ? 0 : LOCKED_MS;
  }

  private async fire(tx: LogTransaction): Promise<number> {
    // Given `due_at <= now()` to use, the planner fetches and sorts all that is due for every batch: 6 times slower with 20,000 due.
    // The lock re-reads a row that was moved meanwhile; the sum keeps its due time from the index.
    const rows = await tx.query<TimerRow>(
      `WITH head AS MATERIALIZED (SELECT ctid AS place FROM ${this.table} WHERE type || '/' || version = ANY($1) ORDER BY due_at, name LIMIT ${MAX_FIRE}),
       due AS (SELECT t.ctid AS place FROM head JOIN ${this.table} t ON t.ctid = head.place WHERE t.due_at + interval '0' <= now() FOR UPDATE OF t SKIP LOCKED),
       gone AS (DELETE FROM ${this.table} t USING due WHERE t.ctid = due.place RETURNING t.*)
       SELECT name, type, version, key, data, caused_by FROM gone ORDER BY due_at, name`,
      [KNOWN_TYPES],
    );
    for (const { name, type, version, key, data, caused_by: cause } of rows) {
      // One cause may arm several timers, which fire in several transactions: the name tells them apart.
      tx.append(eventDefinition(type, version)!, key, JSON.parse(data), cause === null ? undefined : { id: cause }, name);
    }
    return rows.length;
  }

  private get table(): string {
    return `${this.log.schema}.timer`;
  }
}
