import { createHash } from 'node:crypto';
import { derivedId, newId, topics, type DataOf, type Event, type EventDefinition } from '@tierline/events';
import type { PoolClient, QueryResult } from 'pg';
import type { DataSource, EntityManager } from 'typeorm';
import { BUCKETS, bucketOf } from './bucket.ts';
import { encodeEvent } from './envelope.ts';
import { EventTooLargeError, isStalePlan, UnknownTopicError } from './errors.ts';
import { textArray } from './text-array.ts';

/** Contacts keep attachments and raw payloads in the blob store, so even a long mail stays far below; brokers take no batch without a bound. */
export const MAX_EVENT_BYTES = 4 * 1024 * 1024;
/** What one `read` brings at most, beside one record: 500 large mails at once would not fit into memory. */
const MAX_READ_BYTES = 8 * 1024 * 1024;

/** Every topic that a log keeps: those of the events, and beside each one for copies of what was parked. */
export const logTopics: readonly string[] = topics.flatMap((topic) => [topic, `${topic}.dlq`]);

export interface LogOptions {
  /** Name of this writer, and of the PostgreSQL schema that holds its log: `log`, or `<service>_log` for a service on its own. */
  source: string;
  /** Validates every appended event against its schema. Costs 2-9 µs an event: on in tests, off in production, where events are typed. */
  checkEvents?: boolean;
}

/** A bucket of a topic: events of one key are in one, and are in order there. */
export interface Stream {
  readonly topic: string;
  readonly bucket: number;
}

/** Where to read on in a stream. */
export interface Cursor extends Stream {
  /** The last position that is not wanted any more. */
  readonly after: number;
  readonly maxRecords: number;
}

export interface StoredEvent extends Stream {
  readonly pos: number;
  readonly key: string;
  readonly payload: string;
}

/** What a transaction has appended to one stream: positions are dense from `first` on. */
export interface AppendedRun extends Stream {
  readonly first: number;
  readonly events: readonly { readonly key: string; readonly payload: string }[];
}

interface Appended extends Stream {
  readonly id: string;
  readonly key: string;
  readonly type: string;
  readonly payload: string;
}

interface Pending {
  readonly definition: EventDefinition;
  readonly key: string;
  readonly id: string;
  readonly data: unknown;
  readonly causedBy: Cause | undefined;
}

type Cause = Pick<Event, 'id' | 'traceparent'>;

/** The log of this process: everything that changes state does it in one of its transactions. */
export class EventLog {
  private readonly listeners = new Set<(runs: readonly AppendedRun[]) => void>();

  constructor(
    readonly dataSource: DataSource,
    readonly options: LogOptions,
  ) {}

  /** The schema of the log's tables, quoted. */
  get schema(): string {
    return `"${this.options.source}"`;
  }

  /**
   * Runs `work` in one transaction in the name of `service`: its rows, the events it appends and the timers it arms are committed together or not at all.
   * Errors of `work` and of the database come through unchanged, after the rollback.
   */
  async transaction<T>(service: string, work: (tx: LogTransaction) => Promise<T>): Promise<T> {
    const runner = this.dataSource.createQueryRunner();
    try {
      const client = (await runner.connect()) as PoolClient;
      await runner.startTransaction();
      const tx = new LogTransaction(this, service, runner.manager, client);
      let result: T;
      try {
        result = await work(tx);
        await tx.flush();
        await runner.commitTransaction();
      } catch (error) {
        // A broken connection cannot roll back; the server has done it already.
        await runner.rollbackTransaction().catch(() => undefined);
        throw error;
      }
      for (const hook of tx.committed) hook();
      if (tx.runs.length > 0) for (const listener of this.listeners) listener(tx.runs);
      return result;
    } finally {
      await runner.release();
    }
  }

  /**
   * The events behind the cursors, in order per stream. At most `maxRecords` and about 8 MiB in all, from the first cursors first:
   * whoever reads in turns begins with another one each time.
   */
  async read(cursors: readonly Cursor[], maxRecords: number): Promise<StoredEvent[]> {
    const runner = this.dataSource.createQueryRunner();
    try {
      const client = (await runner.connect()) as PoolClient;
      const { rows } = await queryNamed<Omit<StoredEvent, 'pos'> & { pos: string }>(client, readSql(this.schema), [
        cursors.map(({ topic }) => topic),
        cursors.map(({ bucket }) => bucket),
        cursors.map(({ after }) => after),
        cursors.map((cursor) => cursor.maxRecords),
        maxRecords,
      ]);
      return rows.map((row) => ({ ...row, pos: Number(row.pos) }));
    } finally {
      await runner.release();
    }
  }

  /** Calls `listener` after each commit that appended events. Returns the way to stop it. */
  onAppend(listener: (runs: readonly AppendedRun[]) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

/** One transaction on the log. Valid until the work it was given to returns. */
export class LogTransaction {
  /** Called after the commit, in order. */
  readonly committed: (() => void)[] = [];
  /** What was appended, by stream; known after `flush`. */
  runs: readonly AppendedRun[] = [];
  private readonly pending: Pending[] = [];
  private readonly appended: Appended[] = [];
  private readonly beforeCommitHooks: (() => Promise<void>)[] = [];
  private readonly ordinals = new Map<string, number>();
  private at: Date | undefined;

  constructor(
    private readonly log: EventLog,
    /** Who is writing: becomes the `source` of the events. */
    readonly service: string,
    readonly manager: EntityManager,
    private readonly client: PoolClient,
  ) {}

  /** The database's clock at the start of the transaction. All times that decide anything come from here, never from this machine's clock. */
  async now(): Promise<Date> {
    if (!this.at) {
      const [row] = await this.query<{ now: Date }>('SELECT now()');
      this.at = row!.now;
    }
    return this.at;
  }

  /** Spares `now()` its round trip when another statement has brought the time along. */
  setNow(now: Date): void {
    this.at = now;
  }

  /**
   * Runs one statement as a named prepared statement, so that a hot statement is planned once per connection and not once per batch:
   * values belong into parameters, never into the text. One at a time: pg runs the statements of a connection in order.
   */
  async query<Row extends object>(sql: string, parameters: unknown[] = []): Promise<Row[]> {
    return (await queryNamed<Row>(this.client, sql, parameters)).rows;
  }

  /**
   * Appends an event at commit, and returns its id. With `causedBy` the id is derived from the cause, so that the same cause makes the same events again.
   * Consequences of one cause that come in several transactions need a `name` each to have ids of their own.
   * Throws when `checkEvents` is on and the data does not fit the schema.
   */
  append<D extends EventDefinition>(definition: D, key: string, data: DataOf<D>, causedBy?: Cause, name: string = definition.type): string {
    if (this.log.options.checkEvents) definition.schema.parse(data);
    const id = causedBy ? this.nextId(causedBy.id, name) : newId();
    this.pending.push({ definition, key, id, data, causedBy });
    return id;
  }

  /** Appends an already encoded event under a topic that has no definition: dead letters. */
  appendEncoded(topic: string, key: string, id: string, type: string, payload: string): void {
    this.appended.push({ topic, bucket: bucketOf(key), id, key, type, payload });
  }

  /** Runs before the events are written, while statements may still be made. */
  beforeCommit(hook: () => Promise<void>): void {
    this.beforeCommitHooks.push(hook);
  }

  /** Writes the appended events. Called once, by the log, as the last thing before the commit. */
  async flush(): Promise<void> {
    for (const hook of this.beforeCommitHooks) await hook();
    await this.encodePending();
    if (this.appended.length === 0) return;
    // One order for everybody who takes several heads, or two writers could wait for each other.
    const rows = this.appended.sort((a, b) => (a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : a.bucket - b.bucket));
    const heads: (Stream & { events: Appended[] })[] = [];
    /** Which head each row takes its position from, and how far from its beginning. */
    const headOf: number[] = [];
    const ordinals: number[] = [];
    for (const row of rows) {
      let head = heads.at(-1);
      if (head?.topic !== row.topic || head.bucket !== row.bucket) heads.push((head = { topic: row.topic, bucket: row.bucket, events: [] }));
      headOf.push(heads.length);
      ordinals.push(head.events.push(row) - 1);
    }
    const moved = await this.query<{ first: string }>(appendSql(this.log.schema), [
      heads.map((head) => head.topic),
      heads.map((head) => head.bucket),
      heads.map((head) => head.events.length),
      headOf,
      ordinals,
      rows.map((row) => row.id),
      textArray(rows.map((row) => row.key)),
      textArray(rows.map((row) => row.type)),
      textArray(rows.map((row) => row.payload)),
    ]);
    if (moved.length !== heads.length) throw new UnknownTopicError([...new Set(heads.map((head) => head.topic))]);
    this.runs = heads.map((head, i) => ({ ...head, first: Number(moved[i]!.first) }));
  }

  private async encodePending(): Promise<void> {
    if (this.pending.length === 0) return;
    const time = (await this.now()).toISOString();
    for (const { definition, key, id, data, causedBy } of this.pending) {
      const header = { id, source: this.service, key, time, causationId: causedBy?.id, traceparent: causedBy?.traceparent };
      const payload = encodeEvent(definition, header, data);
      // A UTF-16 unit takes three bytes at most: nearly every event is seen to fit without counting.
      if (payload.length * 3 > MAX_EVENT_BYTES && Buffer.byteLength(payload) > MAX_EVENT_BYTES) {
        throw new EventTooLargeError(definition.type, Buffer.byteLength(payload), MAX_EVENT_BYTES);
      }
      this.appended.push({ topic: definition.topic, bucket: bucketOf(key), id, key, type: definition.type, payload });
    }
  }

  private nextId(cause: string, name: string): string {
    const ownName = `${this.service}/${name}`;
    const counter = `${cause}/${ownName}`;
    const ordinal = this.ordinals.get(counter) ?? 0;
    this.ordinals.set(counter, ordinal + 1);
    return derivedId(cause, ownName, ordinal);
  }
}

/** Makes the head rows of every bucket of the topics, where there are none: positions come from them. */
export async function ensureTopics(dataSource: DataSource, source: string, names: readonly string[]): Promise<void> {
  await dataSource.query(
    `INSERT INTO "${source}".log_head (topic, bucket) SELECT t, b FROM unnest($1::text[]) AS t, generate_series(0, $2::int - 1) AS b ON CONFLICT DO NOTHING`,
    [names, BUCKETS],
  );
}

/**
 * The heads are locked in one order by `locked`, moved by `moved`, and the rows take their positions from there: one round trip.
 * The UPDATE sees the newest version of a head because the row lock was taken first, in the same statement (READ COMMITTED re-reads a locked row).
 */
const appendSql = (schema: string): string => `
WITH want AS (SELECT * FROM unnest($1::text[], $2::smallint[], $3::int[]) WITH ORDINALITY AS w(topic, bucket, n, head)),
locked AS MATERIALIZED (
  SELECT h.topic, h.bucket, w.n, w.head FROM ${schema}.log_head h JOIN want w USING (topic, bucket) ORDER BY h.topic, h.bucket FOR UPDATE OF h),
moved AS (
  UPDATE ${schema}.log_head h SET next = h.next + l.n FROM locked l WHERE h.topic = l.topic AND h.bucket = l.bucket
  RETURNING h.topic, h.bucket, l.head, h.next - l.n AS first),
appended AS (
  INSERT INTO ${schema}.event_log (topic, bucket, pos, event_id, key, type, payload)
  SELECT m.topic, m.bucket, m.first + x.ordinal, x.id, x.key, x.type, x.payload
  FROM unnest($4::int[], $5::int[], $6::uuid[], $7::text[], $8::text[], $9::text[]) AS x(head, ordinal, id, key, type, payload) JOIN moved m USING (head))
SELECT first FROM moved ORDER BY head`;

/** Rows come in the order of the cursors, because the nested loop runs over them; the window counts the bytes of the rows before. */
const readSql = (schema: string): string => `
SELECT topic, bucket, pos, key, payload FROM (
  SELECT e.*, sum(octet_length(e.payload)) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes_before
  FROM unnest($1::text[], $2::smallint[], $3::bigint[], $4::int[]) AS c(topic, bucket, pos, n)
  CROSS JOIN LATERAL (
    SELECT e.topic, e.bucket, e.pos, e.key, e.payload FROM ${schema}.event_log e
    WHERE e.topic = c.topic AND e.bucket = c.bucket AND e.pos > c.pos ORDER BY e.pos LIMIT c.n) e
  LIMIT $5) found
WHERE bytes_before IS NULL OR bytes_before < ${MAX_READ_BYTES}`;

let statementNames = new Map<string, string>();
let generation = 0;

/** A short name for a statement: pg caches the plan under it, per connection. */
function statementName(sql: string): string {
  let name = statementNames.get(sql);
  if (!name) statementNames.set(sql, (name = createHash('sha1').update(`${generation} ${sql}`).digest('hex').slice(0, 24)));
  return name;
}

async function queryNamed<Row extends object>(client: PoolClient, sql: string, values: unknown[]): Promise<QueryResult<Row>> {
  try {
    return await client.query<Row>({ name: statementName(sql), text: sql, values });
  } catch (error) {
    if (isStalePlan(error)) {
      generation++;
      statementNames = new Map();
    }
    throw error;
  }
}
