import type { EventLog, LogTransaction } from './event-log.ts';
import type { LogRecord } from './source.ts';

/** Waits between tries of one event, the last one repeated: long enough for a human to notice before it is parked. */
export const BACKOFF_MS: readonly number[] = [1_000, 5_000, 30_000, 120_000, 600_000, 3_600_000];
export const MAX_ATTEMPTS = 8;

/** An event that waits to be tried again, or is parked. `seq` gives the order within its key. */
export interface RetryEvent extends LogRecord {
  readonly seq: string;
  readonly group: string;
  readonly key: string;
  readonly type: string;
  readonly attempts: number;
}

export interface Failure {
  code: string;
  message: string;
}

const COLUMNS = `seq, grp AS "group", source, topic, bucket, pos::float8 AS pos, key, type, payload, attempts`;

/** The events of one group that could not be handled, and the later events of their keys. */
export class RetryQueue {
  private blocked = new Set<string>();

  constructor(
    private readonly log: EventLog,
    private readonly group: string,
    private readonly backoffMs: readonly number[] = BACKOFF_MS,
    private readonly maxAttempts: number = MAX_ATTEMPTS,
  ) {}

  private get table(): string {
    return `${this.log.schema}.retry_event`;
  }

  /** Whether events of this key must wait behind an earlier one. */
  blocks(topic: string, key: string): boolean {
    return this.blocked.size > 0 && this.blocked.has(`${topic}/${key}`);
  }

  /** Whether anything waits at all: an idle queue costs no query. */
  get isEmpty(): boolean {
    return this.blocked.size === 0;
  }

  async load(): Promise<void> {
    const rows = await this.log.dataSource.query<{ topic: string; key: string }[]>(
      `SELECT DISTINCT topic, key FROM ${this.table} WHERE grp = $1 AND blocks_key`,
      [this.group],
    );
    this.blocked = new Set(rows.map((row) => `${row.topic}/${row.key}`));
  }

  /** Puts events behind the failed one of their key, in `tx`. */
  async append(tx: LogTransaction, events: readonly { record: LogRecord; key: string; type: string }[]): Promise<void> {
    if (events.length === 0) return;
    await tx.query(
      `INSERT INTO ${this.table} (grp, source, topic, bucket, pos, key, type, payload, state)
       SELECT $1, x.source, x.topic, x.bucket, x.pos, x.key, x.type, x.payload, 'waiting'
       FROM unnest($2::text[], $3::text[], $4::smallint[], $5::bigint[], $6::text[], $7::text[], $8::text[]) WITH ORDINALITY AS x(source, topic, bucket, pos, key, type, payload, o) ORDER BY o`,
      [
        this.group,
        events.map(({ record }) => record.source),
        events.map(({ record }) => record.topic),
        events.map(({ record }) => record.bucket),
        events.map(({ record }) => record.pos),
        events.map(({ key }) => key),
        events.map(({ type }) => type),
        events.map(({ record }) => record.payload),
      ],
    );
  }

  /** Takes an event that has just failed for the first time; its key waits from now on. */
  async addFailed(tx: LogTransaction, record: LogRecord, key: string, type: string, failure: Failure): Promise<void> {
    await tx.query(
      `INSERT INTO ${this.table} (grp, source, topic, bucket, pos, key, type, payload, state, attempts, due_at, error_code, error_message)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'waiting', 1, now() + $9 * interval '1 ms', $10, $11)`,
      [this.group, record.source, record.topic, record.bucket, record.pos, key, type, record.payload, this.backoffMs[0], failure.code, failure.message],
    );
    tx.committed.push(() => this.blocked.add(`${record.topic}/${key}`));
  }

  /** Parks what nobody here can read. It blocks no key: a newer release wrote it, or nobody did. */
  async addUnreadable(tx: LogTransaction, record: LogRecord, key: string, type: string, failure: Failure): Promise<void> {
    await tx.query(
      `INSERT INTO ${this.table} (grp, source, topic, bucket, pos, key, type, payload, state, attempts, error_code, error_message, blocks_key)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'parked', 1, $9, $10, false)`,
      [this.group, record.source, record.topic, record.bucket, record.pos, key, type, record.payload, failure.code, failure.message],
    );
    deadLetter(tx, { ...record, group: this.group, key, type, attempts: 1, seq: '0' }, failure);
  }

  /** The first waiting event of each key that is due. */
  async due(): Promise<RetryEvent[]> {
    const rows = await this.log.dataSource.query<(RetryEvent & { state: string; isDue: boolean })[]>(
      `SELECT * FROM (SELECT DISTINCT ON (topic, key) ${COLUMNS}, state, due_at <= now() AS "isDue" FROM ${this.table} WHERE grp = $1 AND blocks_key ORDER BY topic, key, seq) head`,
      [this.group],
    );
    const stillBlocked = new Set(rows.map((row) => `${row.topic}/${row.key}`));
    this.blocked = stillBlocked;
    return rows.filter((row) => row.state === 'waiting' && row.isDue);
  }

  /** Takes the event out, in the transaction that handles it. False when somebody else has. */
  async takeOut(tx: LogTransaction, event: RetryEvent): Promise<boolean> {
    const rows = await tx.query(`DELETE FROM ${this.table} WHERE grp = $1 AND source = $2 AND topic = $3 AND bucket = $4 AND pos = $5 RETURNING 1`, [
      this.group,
      event.source,
      event.topic,
      event.bucket,
      event.pos,
    ]);
    return rows.length === 1;
  }

  /** Notes another failed try: waits longer, or parks. Returns whether it is parked now. */
  async failedAgain(tx: LogTransaction, event: RetryEvent, failure: Failure): Promise<boolean> {
    const attempts = event.attempts + 1;
    const parked = attempts >= this.maxAttempts;
    const waitMs = this.backoffMs[Math.min(attempts - 1, this.backoffMs.length - 1)]!;
    await tx.query(
      `UPDATE ${this.table} SET attempts = $6, state = $7, due_at = now() + $8 * interval '1 ms', error_code = $9, error_message = $10
       WHERE grp = $1 AND source = $2 AND topic = $3 AND bucket = $4 AND pos = $5`,
      [this.group, event.source, event.topic, event.bucket, event.pos, attempts, parked ? 'parked' : 'waiting', waitMs, failure.code, failure.message],
    );
    if (parked) deadLetter(tx, { ...event, attempts }, failure);
    return parked;
  }
}

/** A copy for those who watch `<topic>.dlq`, with what went wrong as CloudEvents extensions. The event itself stays parked here. */
function deadLetter(tx: LogTransaction, event: RetryEvent, failure: Failure): void {
  tx.appendRaw(
    `${event.topic}.dlq`,
    event.key,
    crypto.randomUUID(),
    event.type,
    JSON.stringify({
      specversion: '1.0',
      id: `${event.group}/${event.source}/${event.topic}/${event.bucket}/${event.pos}`,
      type: 'event.parked',
      dataversion: 1,
      source: event.group,
      subject: event.key,
      time: new Date().toISOString(),
      errorclass: failure.code,
      errormessage: failure.message,
      attempts: event.attempts,
      origintopic: event.topic,
      originpartition: event.bucket,
      originposition: event.pos,
      data: event.payload,
    }),
  );
}
