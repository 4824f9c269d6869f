import { createHash } from 'node:crypto';
import { derivedId, eventDefinition, newId, type DataOf, type Event, type EventDefinition, type Topic } from '@tierline/events';
import type { PoolClient } from 'pg';
import type { DataSource, EntityManager } from 'typeorm';
import { BUCKETS, bucketOf } from './bucket.ts';

export interface LogOptions {
  /** Name of this writer, and of the PostgreSQL schema that holds its log: `log`, or `<service>_log` for a service on its own. */
  source: string;
  /** Validates every appended event against its schema. Costs 2-9 µs an event: on in tests, off in production, where events are typed. */
  checkEvents?: boolean;
}

interface Appended {
  topic: string;
  bucket: number;
  id: string;
  key: string;
  type: string;
  payload: string;
}

/** The log of this process: everything that changes state does it in one of its transactions. */
export class EventLog {
  private readonly listeners = new Set<(topics: ReadonlySet<string>) => void>();

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
      try {
        const tx = new LogTransaction(this, service, runner.manager, client);
        const result = await work(tx);
        await tx.flush();
        await runner.commitTransaction();
        const { committed, appendedTopics } = tx;
        if (appendedTopics.size > 0) for (const listener of this.listeners) listener(appendedTopics);
        for (const hook of committed) hook();
        return result;
      } catch (error) {
        // A broken connection cannot roll back; the server has done it already.
        await runner.rollbackTransaction().catch(() => undefined);
        throw error;
      }
    } finally {
      await runner.release();
    }
  }

  /** The events after the given positions, in order per bucket, at most `limit` in all and roughly fair between buckets. */
  async read(topicNames: string[], buckets: number[], after: number[], limit: number): Promise<{ topic: string; bucket: number; pos: string; payload: string }[]> {
    const runner = this.dataSource.createQueryRunner();
    try {
      const client = (await runner.connect()) as PoolClient;
      const sql = `SELECT e.topic, e.bucket, e.pos, e.payload FROM unnest($1::text[], $2::smallint[], $3::bigint[]) AS p(topic, bucket, pos)
        CROSS JOIN LATERAL (SELECT * FROM ${this.schema}.event_log e WHERE e.topic = p.topic AND e.bucket = p.bucket AND e.pos > p.pos ORDER BY e.pos LIMIT $4) e`;
      const values = [topicNames, buckets, after, limit];
      return (await client.query<{ topic: string; bucket: number; pos: string; payload: string }>({ name: statementName(sql), text: sql, values })).rows;
    } finally {
      await runner.release();
    }
  }

  /** Calls `listener` after each commit that appended events, with their topics. Returns the way to stop it. */
  onAppend(listener: (topics: ReadonlySet<string>) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

/** One transaction on the log. Valid until the work it was given to returns. */
export class LogTransaction {
  /** Called after the commit, in order. */
  readonly committed: (() => void)[] = [];
  readonly appendedTopics = new Set<string>();
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
   * Runs one statement as a named prepared statement, so that a hot statement is planned once per connection and not once per batch.
   * One at a time: pg runs the statements of a connection in order.
   */
  async query<Row extends object>(sql: string, parameters: unknown[] = []): Promise<Row[]> {
    const result = await this.client.query<Row>({ name: statementName(sql), text: sql, values: parameters });
    return result.rows;
  }

  /**
   * Appends an event at commit. With `causedBy` its id is derived from the cause, so that the same cause makes the same events again.
   * Consequences of one cause that come in several transactions need a `name` each to have ids of their own.
   * Throws when `checkEvents` is on and the data does not fit the schema.
   */
  append<D extends EventDefinition>(definition: D, key: string, data: DataOf<D>, causedBy?: Pick<Event, 'id' | 'traceparent'>, name: string = definition.type): string {
    if (this.log.options.checkEvents) definition.schema.parse(data);
    const id = causedBy ? this.nextId(causedBy.id, name) : newId();
    this.pending.push({ definition, key, id, data, causedBy });
    return id;
  }

  /** Runs before the events are written, while statements may still be made. */
  beforeCommit(hook: () => Promise<void>): void {
    this.beforeCommitHooks.push(hook);
  }

  private readonly pending: { definition: EventDefinition; key: string; id: string; data: unknown; causedBy: Pick<Event, 'id' | 'traceparent'> | undefined }[] = [];

  private nextId(cause: string, name: string): string {
    const ownName = `${this.service}/${name}`;
    const counter = `${cause}/${ownName}`;
    const ordinal = this.ordinals.get(counter) ?? 0;
    this.ordinals.set(counter, ordinal + 1);
    return derivedId(cause, ownName, ordinal);
  }

  /** Appends an already encoded event under a topic that has no definition: dead letters. */
  appendRaw(topic: string, key: string, id: string, type: string, payload: string): void {
    this.appended.push({ topic, bucket: bucketOf(key), id, key, type, payload });
  }

  /** Writes the appended events. Called once, by the log, as the last thing before the commit. */
  async flush(): Promise<void> {
    for (const hook of this.beforeCommitHooks) await hook();
    if (this.pending.length > 0) {
      const time = (await this.now()).toISOString();
      for (const { definition, key, id, data, causedBy } of this.pending) {
        const payload = JSON.stringify({
          specversion: '1.0',
          id,
          type: definition.type,
          dataversion: definition.version,
          source: this.service,
          subject: key,
          time,
          causationid: causedBy?.id,
          traceparent: causedBy?.traceparent,
          data,
        });
        this.appended.push({ topic: definition.topic, bucket: bucketOf(key), id, key, type: definition.type, payload });
      }
    }
    if (this.appended.length === 0) return;
    // One order for everybody who takes several heads, or two writers could wait for each other.
    const rows = this.appended.sort((a, b) => (a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : a.bucket - b.bucket));
    const heads = new Map<string, { topic: string; bucket: number; count: number }>();
    const ordinals: number[] = [];
    for (const row of rows) {
      const name = `${row.topic}/${row.bucket}`;
      const head = heads.get(name) ?? { topic: row.topic, bucket: row.bucket, count: 0 };
      heads.set(name, head);
      ordinals.push(head.count++);
      this.appendedTopics.add(row.topic);
    }
    const taken = [...heads.values()];
    await this.query(appendSql(this.log.schema), [
      taken.map((head) => head.topic),
      taken.map((head) => head.bucket),
      taken.map((head) => head.count),
      rows.map((row) => row.topic),
      rows.map((row) => row.bucket),
      ordinals,
      rows.map((row) => row.id),
      rows.map((row) => row.key),
      rows.map((row) => row.type),
      rows.map((row) => row.payload),
    ]);
  }
}

/** Makes the head rows of every bucket of a topic, once; appending to a topic without them would append nothing. */
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
WITH want AS (SELECT * FROM unnest($1::text[], $2::smallint[], $3::int[]) AS w(topic, bucket, n)),
locked AS MATERIALIZED (
  SELECT h.topic, h.bucket, w.n FROM ${schema}.log_head h JOIN want w USING (topic, bucket) ORDER BY h.topic, h.bucket FOR UPDATE OF h),
moved AS (
  UPDATE ${schema}.log_head h SET next = h.next + l.n FROM locked l WHERE h.topic = l.topic AND h.bucket = l.bucket
  RETURNING h.topic, h.bucket, h.next - l.n AS base)
INSERT INTO ${schema}.event_log (topic, bucket, pos, event_id, key, type, payload)
SELECT x.topic, x.bucket, m.base + x.ordinal, x.id, x.key, x.type, x.payload
FROM unnest($4::text[], $5::smallint[], $6::int[], $7::uuid[], $8::text[], $9::text[], $10::text[]) AS x(topic, bucket, ordinal, id, key, type, payload)
JOIN moved m USING (topic, bucket)`;

const names = new Map<string, string>();

/** A short name for a statement: pg caches the plan under it, per connection. */
function statementName(sql: string): string {
  let name = names.get(sql);
  if (!name) names.set(sql, (name = createHash('sha1').update(sql).digest('hex').slice(0, 24)));
  return name;
}

/** Decodes a stored or received payload. Undefined when its type and version are not known to this release. Throws SyntaxError on bad JSON. */
export function decodeEvent(payload: string): Event | undefined {
  const raw = JSON.parse(payload) as {
    id: string;
    type: string;
    dataversion: number;
    subject: string;
    time: string;
    causationid?: string;
    traceparent?: string;
    data: unknown;
  };
  const definition = eventDefinition(raw.type, raw.dataversion);
  if (!definition) return undefined;
  return {
    id: raw.id,
    type: raw.type,
    version: raw.dataversion,
    topic: definition.topic satisfies Topic,
    key: raw.subject,
    time: raw.time,
    causationId: raw.causationid,
    traceparent: raw.traceparent,
    data: raw.data,
  };
}
