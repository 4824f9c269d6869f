import type { EventLog, LogTransaction, Stream } from './event-log.ts';
import { FencedError } from './errors.ts';
import { repeatsDropped } from './metrics.ts';
import { FOREIGN, type LogRecord } from './source.ts';

/** The row of a Kafka partition, beside those of the writers in it: its `pos` is the first offset that is not done with yet. */
const KAFKA = 'kafka';

interface Row extends Stream {
  readonly source: string;
  readonly pos: number;
}

/** Positions of one writer are dense: a missing one means that an event was lost below us, and nothing of that writer after it may be handled. */
export interface Hole extends Stream {
  readonly source: string;
  readonly expected: number;
  readonly found: number;
}

/** How far a group has come: in memory for reading, as rows for deciding. */
export class GroupPositions {
  private rows = new Map<string, Row>();
  /** The rows as they will be past what was passed over since they were moved. */
  private readonly ahead = new Map<string, Row>();
  /** By writer and stream. */
  private readonly missing = new Map<string, Hole>();
  /** The first offset behind a hole, per partition: it will be read again when the hole is filled, so the partition's row stays there. */
  private readonly heldOffsets = new Map<string, number>();
  private filled = false;

  constructor(
    private readonly log: EventLog,
    private readonly group: string,
  ) {}

  last(source: string, topic: string, bucket: number): number {
    return this.lastOf(nameOf(source, topic, bucket));
  }

  nextOffset(topic: string, bucket: number): number {
    return this.last(KAFKA, topic, bucket);
  }

  isStuck(source: string, topic: string, bucket: number): boolean {
    return this.missing.has(nameOf(source, topic, bucket));
  }

  get holes(): readonly Hole[] {
    return [...this.missing.values()];
  }

  /** Whether something was passed over since the rows were moved. */
  get isAhead(): boolean {
    return this.ahead.size > 0;
  }

  /** Whether a missing event has come, so that what was passed over behind it has to be read again. */
  get mustReread(): boolean {
    return this.filled;
  }

  async load(): Promise<void> {
    const rows = await this.log.dataSource.query<(Stream & { source: string; pos: string })[]>(
      `SELECT source, topic, bucket, pos FROM ${this.log.schema}.consumer_position WHERE grp = $1`,
      [this.group],
    );
    this.rows = new Map(rows.map((row) => [nameOf(row.source, row.topic, row.bucket), { ...row, pos: Number(row.pos) }]));
    this.missing.clear();
    this.heldOffsets.clear();
    this.filled = false;
    this.ahead.clear();
  }

  /** The records to handle now. Repeats (a broker's redelivery, a relay's resend) are dropped, and so is what lies behind a hole. */
  fresh<R extends LogRecord>(records: readonly R[]): R[] {
    const seen = new Map<string, number>();
    return records.filter((record) => {
      const name = nameOf(record.source, record.topic, record.bucket);
      const before = seen.get(name) ?? this.lastOf(name);
      if (record.pos <= before) {
        repeatsDropped.inc({ group: this.group });
        return false;
      }
      if (record.pos > before + 1 && record.source !== FOREIGN) {
        this.stopAt(name, record, before + 1);
        return false;
      }
      if (this.missing.delete(name)) this.filled = true;
      seen.set(name, record.pos);
      return true;
    });
  }

  /** Goes past records that nothing is done with. The rows follow with what is handled next; until then whoever starts over meets them again. */
  passOver(records: readonly LogRecord[]): void {
    this.goPast(records, this.ahead);
  }

  private stopAt(name: string, record: LogRecord, expected: number): void {
    const { source, topic, bucket, pos, offset } = record;
    if (!this.missing.has(name)) this.missing.set(name, { source, topic, bucket, expected, found: pos });
    const partition = nameOf(KAFKA, topic, bucket);
    if (offset !== undefined && !this.heldOffsets.has(partition)) this.heldOffsets.set(partition, offset);
  }

  /**
   * Moves the rows past what was passed over and past `records` in `tx`, if they still are where this process left them: the row locks make a second owner wait, and then fail.
   * Throws FencedError when another owner has moved one.
   */
  async advance(tx: LogTransaction, records: readonly LogRecord[]): Promise<void> {
    const moved = new Map(this.ahead);
    this.goPast(records, moved);
    const rows = [...moved].sort(([a], [b]) => (a < b ? -1 : 1));
    const columns = [
      this.group,
      rows.map(([, { source }]) => source),
      rows.map(([, { topic }]) => topic),
      rows.map(([, { bucket }]) => bucket),
      rows.map(([name]) => this.rows.get(name)?.pos ?? 0),
      rows.map(([, { pos }]) => pos),
    ];
    if (rows.some(([name]) => !this.rows.has(name))) {
      await tx.query(
        `INSERT INTO ${this.log.schema}.consumer_position (grp, source, topic, bucket)
         SELECT $1, source, topic, bucket FROM unnest($2::text[], $3::text[], $4::smallint[]) AS n(source, topic, bucket) ON CONFLICT DO NOTHING`,
        columns.slice(0, 4),
      );
    }
    const updated = await tx.query<{ now: Date }>(
      `UPDATE ${this.log.schema}.consumer_position p SET pos = n.next, moved_at = now()
       FROM unnest($2::text[], $3::text[], $4::smallint[], $5::bigint[], $6::bigint[]) AS n(source, topic, bucket, last, next)
       WHERE p.grp = $1 AND p.source = n.source AND p.topic = n.topic AND p.bucket = n.bucket AND p.pos = n.last RETURNING now()`,
      columns,
    );
    if (updated.length !== rows.length) throw new FencedError(this.group);
    tx.setNow(updated[0]!.now);
    tx.committed.push(() => {
      for (const [name, row] of rows) this.rows.set(name, row);
      this.ahead.clear();
    });
  }

  private lastOf(name: string): number {
    return (this.ahead.get(name) ?? this.rows.get(name))?.pos ?? 0;
  }

  private goPast(records: readonly LogRecord[], rows: Map<string, Row>): void {
    for (const { source, topic, bucket, pos, offset } of records) {
      rows.set(nameOf(source, topic, bucket), { source, topic, bucket, pos });
      if (offset === undefined) continue;
      const partition = nameOf(KAFKA, topic, bucket);
      rows.set(partition, { source: KAFKA, topic, bucket, pos: Math.min(offset + 1, this.heldOffsets.get(partition) ?? Infinity) });
    }
  }

  /** Moves the rows back to position `after`, and to the beginning of what Kafka has. */
  async moveBack(tx: LogTransaction, after: number): Promise<void> {
    await tx.query(`UPDATE ${this.log.schema}.consumer_position SET pos = CASE source WHEN '${KAFKA}' THEN 0 ELSE least(pos, $2) END WHERE grp = $1`, [
      this.group,
      after,
    ]);
  }
}

const nameOf = (source: string, topic: string, bucket: number): string => `${source}/${topic}/${bucket}`;

export function describeHole({ source, topic, bucket, expected, found }: Hole): string {
  return `position ${expected} of ${source} is missing in ${topic}/${bucket}, the next one there is ${found}: nothing after it is handled until it comes`;
}
