import type { EventLog, LogTransaction } from './event-log.ts';
import { parkedTotal } from './metrics.ts';
import type { LogRecord } from './source.ts';

/** Waits between tries of one event, the last one repeated: long enough for a human to notice before it is parked. */
const BACKOFF_MS: readonly number[] = [1_000, 5_000, 30_000, 120_000, 600_000, 3_600_000];
const MAX_ATTEMPTS = 8;
const MAX_MESSAGE_CHARS = 2_000;
/** A copy must itself fit into a message, whatever escaping adds; the whole payload stays here. */
const MAX_COPIED_CHARS = 256 * 1024;

/** An event that waits to be tried again. `seq` gives the order within its key. */
export interface RetryEvent extends LogRecord {
  readonly seq: string;
  readonly key: string;
  readonly type: string;
  readonly attempts: number;
  readonly blocksKey: boolean;
}

/** A record, and what could be read of it. */
export interface ReadRecord {
  readonly record: LogRecord;
  readonly key: string;
  readonly type: string;
}

/** What went wrong: `code` is stable, to search by. */
export interface Failure {
  readonly code: string;
  readonly message: string;
}

export interface RetryPolicy {
  readonly backoffMs?: readonly number[] | undefined;
  readonly maxAttempts?: number | undefined;
}

const COLUMNS = 'seq, source, topic, bucket, pos::float8 AS pos, key, type, payload, attempts, blocks_key AS "blocksKey"';

/** The events of one group that could not be handled, and the later events of their keys. */
export class RetryQueue {
  private blocked = new Map<string, { topic: string; key: string }>();
  private readonly backoffMs: readonly number[];
  private readonly maxAttempts: number;

  constructor(
    private readonly log: EventLog,
    private readonly group: string,
    { backoffMs = BACKOFF_MS, maxAttempts = MAX_ATTEMPTS }: RetryPolicy,
  ) {
    this.backoffMs = backoffMs;
    this.maxAttempts = maxAttempts;
  }

  private get table(): string {
    return `${this.log.schema}.retry_event`;
  }

  /** Whether events of this key must wait behind an earlier one. */
  blocks(topic: string, key: string): boolean {
    return this.blocked.size > 0 && this.blocked.has(nameOf(topic, key));
  }

  /** How many keys wait. */
  get blockedKeys(): number {
    return this.blocked.size;
  }

  /** How many wait to be tried, and how many for an operator. */
  async counts(): Promise<{ waiting: number; parked: number }> {
    const [row] = await this.log.dataSource.query<[{ waiting: number; parked: number }]>(
      `SELECT count(*) FILTER (WHERE state = 'waiting')::int AS waiting, count(*) FILTER (WHERE state = 'parked')::int AS parked FROM ${this.table} WHERE grp = $1`,
      [this.group],
    );
    return row;
  }

  async load(): Promise<void> {
    const rows = await this.log.dataSource.query<{ topic: string; key: string }[]>(
      `SELECT DISTINCT topic, key FROM ${this.table} WHERE grp = $1 AND blocks_key`,
      [this.group],
    );
    this.blocked = new Map(rows.map((row) => [nameOf(row.topic, row.key), row]));
  }

  /** Puts events behind the failed one of their key, in `tx`. */
  async append(tx: LogTransaction, events: readonly ReadRecord[]): Promise<void> {
    if (events.length === 0) return;
    await tx.query(
      `INSERT INTO ${this.table} (grp, source, topic, bucket, pos, key, type, payload, state)
       SELECT $1, x.source, x.topic, x.bucket, x.pos, x.key, x.type, x.payload, 'waiting'
       FROM unnest($2::text[], $3::text[], $4::smallint[], $5::bigint[], $6::text[], $7::text[], $8::text[]) WITH ORDINALITY AS x(source, topic, bucket, pos, key, type, payload, o) ORDER BY o
       ON CONFLICT DO NOTHING`,
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
  async addFailed(tx: LogTransaction, failed: ReadRecord, failure: Failure): Promise<void> {
    const { topic } = failed.record;
    const { key } = failed;
    await this.insert(tx, failed, failure, 'waiting');
    tx.committed.push(() => this.blocked.set(nameOf(topic, key), { topic, key }));
  }

  /** Parks what nobody here can read. It blocks no key: a newer release wrote it, or nobody of ours did. */
  async addUnreadable(tx: LogTransaction, unreadable: ReadRecord, failure: Failure): Promise<void> {
    await this.insert(tx, unreadable, failure, 'parked');
    await this.copyToDeadLetters(tx, { ...unreadable, attempts: 1 }, failure);
    tx.committed.push(() => parkedTotal.inc({ group: this.group }));
  }

  private async insert(tx: LogTransaction, { record, key, type }: ReadRecord, failure: Failure, state: 'waiting' | 'parked'): Promise<void> {
    await tx.query(
      `INSERT INTO ${this.table} (grp, source, topic, bucket, pos, key, type, payload, state, attempts, due_at, error_code, error_message, blocks_key)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, now() + $10 * interval '1 ms', $11, $12, $13)
       ON CONFLICT DO NOTHING`,
      [
        ...[this.group, record.source, record.topic, record.bucket, record.pos, storable(key), storable(type), record.payload],
        ...[state, this.backoffMs[0], storable(failure.code), storable(failure.message), state === 'waiting'],
      ],
    );
  }

  /** The first event of each blocked key that is to be tried now, and events that block nothing and were told to go again. */
  async due(): Promise<RetryEvent[]> {
    const keys = [...this.blocked.values()];
    const rows = await this.log.dataSource.query<(RetryEvent & { isDue: boolean })[]>(
      `SELECT head.* FROM unnest($2::text[], $3::text[]) AS k(topic, key) CROSS JOIN LATERAL (
         SELECT ${COLUMNS}, state = 'waiting' AND due_at <= now() AS "isDue"
         FROM ${this.table} WHERE grp = $1 AND topic = k.topic AND key = k.key AND blocks_key ORDER BY seq LIMIT 1) head
       UNION ALL (SELECT ${COLUMNS}, true FROM ${this.table} WHERE grp = $1 AND state = 'waiting' AND NOT blocks_key AND due_at <= now() ORDER BY seq LIMIT 100)`,
      [this.group, keys.map(({ topic }) => topic), keys.map(({ key }) => key)],
    );
    this.blocked = new Map(rows.filter((row) => row.blocksKey).map(({ topic, key }) => [nameOf(topic, key), { topic, key }]));
    return rows.filter((row) => row.isDue);
  }

  /**
   * Takes out an event that is due, and up to `count` in all of those behind it, in the transaction that handles them. As they are now: somebody may have
   * edited one, or skipped them all.
   */
  async takeOut(tx: LogTransaction, { seq, topic, key, blocksKey }: RetryEvent, count: number): Promise<RetryEvent[]> {
    const rows = blocksKey
      ? await tx.query<RetryEvent>(
          `DELETE FROM ${this.table} WHERE seq IN (
             SELECT seq FROM ${this.table} WHERE grp = $1 AND topic = $2 AND key = $3 AND blocks_key AND seq >= $4 ORDER BY seq LIMIT $5 FOR UPDATE)
           RETURNING ${COLUMNS}`,
          [this.group, topic, key, seq, count],
        )
      : await tx.query<RetryEvent>(`DELETE FROM ${this.table} WHERE seq = $1 RETURNING ${COLUMNS}`, [seq]);
    return rows.sort((a, b) => Number(a.seq) - Number(b.seq));
  }

  /** Notes another failed try: waits longer, or parks. Returns whether it is parked now. */
  async failedAgain(tx: LogTransaction, event: RetryEvent, failure: Failure): Promise<boolean> {
    const attempts = event.attempts + 1;
    const parked = attempts >= this.maxAttempts;
    const waitMs = this.backoffMs[Math.min(attempts, this.backoffMs.length) - 1]!;
    await tx.query(
      `UPDATE ${this.table} SET attempts = $2, state = $3, due_at = now() + $4 * interval '1 ms', error_code = $5, error_message = $6 WHERE seq = $1`,
      [event.seq, attempts, parked ? 'parked' : 'waiting', waitMs, storable(failure.code), storable(failure.message)],
    );
    if (parked) {
      await this.copyToDeadLetters(tx, { record: event, key: event.key, type: event.type, attempts }, failure);
      tx.committed.push(() => parkedTotal.inc({ group: this.group }));
    }
    return parked;
  }

  /** Drops what comes again when the group is moved back to position `after`. */
  async forget(tx: LogTransaction, after: number): Promise<void> {
    await tx.query(`DELETE FROM ${this.table} WHERE grp = $1 AND pos > $2`, [this.group, after]);
  }

  /** A copy for those who watch `<topic>.dlq`, with what went wrong as CloudEvents extensions. The event itself stays parked here. */
  private async copyToDeadLetters(tx: LogTransaction, { record, key, type, attempts }: ReadRecord & { attempts: number }, failure: Failure): Promise<void> {
    const payload = JSON.stringify({
      specversion: '1.0',
      id: `${this.group}/${record.source}/${record.topic}/${record.bucket}/${record.pos}`,
      type: 'event.parked',
      dataversion: 1,
      source: this.group,
      subject: key,
      time: (await tx.now()).toISOString(),
      errorclass: failure.code,
      errormessage: failure.message.slice(0, MAX_MESSAGE_CHARS),
      attempts,
      origintopic: record.topic,
      originpartition: record.bucket,
      originsource: record.source,
      originposition: record.pos,
      data: record.payload.slice(0, MAX_COPIED_CHARS),
    });
    tx.appendEncoded(`${record.topic}.dlq`, storable(key), crypto.randomUUID(), type, payload);
  }
}

const nameOf = (topic: string, key: string): string => `${topic}/${key}`;

/** PostgreSQL stores no NUL, and nobody reads a message of a megabyte. */
const storable = (text: string): string => text.slice(0, MAX_MESSAGE_CHARS).replaceAll('\0', '\u2400');
