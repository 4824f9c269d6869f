import type { EventLog, LogTransaction } from './event-log.ts';
import { FencedError, HoleError } from './errors.ts';
import type { LogRecord, Positions } from './source.ts';

interface Row {
  source: string;
  topic: string;
  bucket: number;
  pos: number;
}

const nameOf = (row: { source: string; topic: string; bucket: number }): string => `${row.source}/${row.topic}/${row.bucket}`;

/** The positions of one group: in memory for reading, as rows for deciding. */
export class GroupPositions implements Positions {
  private rows = new Map<string, Row>();

  constructor(
    private readonly log: EventLog,
    private readonly group: string,
  ) {}

  last(source: string, topic: string, bucket: number): number {
    return this.rows.get(`${source}/${topic}/${bucket}`)?.pos ?? 0;
  }

  all(): readonly Row[] {
    return [...this.rows.values()];
  }

  async load(): Promise<void> {
    const rows = await this.log.dataSource.query<{ source: string; topic: string; bucket: number; pos: string }[]>(
      `SELECT source, topic, bucket, pos FROM ${this.log.schema}.consumer_position WHERE grp = $1`,
      [this.group],
    );
    this.rows = new Map(rows.map((row) => [nameOf(row), { ...row, pos: Number(row.pos) }]));
  }

  /**
   * The records that have not been handled yet. Repeats (a broker's redelivery, a relay's resend) are dropped.
   * Throws HoleError when one is missing in between.
   */
  fresh<R extends LogRecord>(records: readonly R[]): R[] {
    const last = new Map<string, number>();
    return records.filter((record) => {
      const name = nameOf(record);
      const before = last.get(name) ?? this.rows.get(name)?.pos ?? 0;
      if (record.pos <= before) return false;
      if (record.pos !== before + 1) throw new HoleError(record.source, record.topic, record.bucket, before + 1, record.pos);
      last.set(name, record.pos);
      return true;
    });
  }

  /**
   * Moves the rows past `records` in `tx`, if they still are where this process left them: the row locks make a second owner wait, and then fail.
   * Throws FencedError when another owner has moved one.
   */
  async advance(tx: LogTransaction, records: readonly LogRecord[]): Promise<void> {
    const moves = new Map<string, { row: Row; from: number }>();
    for (const record of records) {
      const name = nameOf(record);
      const move = moves.get(name);
      if (move) move.row.pos = record.pos;
      else moves.set(name, { row: { source: record.source, topic: record.topic, bucket: record.bucket, pos: record.pos }, from: this.rows.get(name)?.pos ?? 0 });
    }
    const sorted = [...moves.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, move]) => move);
    const columns = [
      this.group,
      sorted.map(({ row }) => row.source),
      sorted.map(({ row }) => row.topic),
      sorted.map(({ row }) => row.bucket),
      sorted.map(({ from }) => from),
      sorted.map(({ row }) => row.pos),
    ];
    if (sorted.some(({ from }) => from === 0)) {
      await tx.query(
        `INSERT INTO ${this.log.schema}.consumer_position (grp, source, topic, bucket)
         SELECT $1, source, topic, bucket FROM unnest($2::text[], $3::text[], $4::smallint[]) AS n(source, topic, bucket) ON CONFLICT DO NOTHING`,
        columns.slice(0, 4),
      );
    }
    const moved = await tx.query<{ now: Date }>(
      `UPDATE ${this.log.schema}.consumer_position p SET pos = n.next, moved_at = now()
       FROM unnest($2::text[], $3::text[], $4::smallint[], $5::bigint[], $6::bigint[]) AS n(source, topic, bucket, last, next)
       WHERE p.grp = $1 AND p.source = n.source AND p.topic = n.topic AND p.bucket = n.bucket AND p.pos = n.last RETURNING now()`,
      columns,
    );
    if (moved.length !== sorted.length) throw new FencedError(this.group);
    tx.setNow(moved[0]!.now);
    tx.committed.push(() => {
      for (const { row } of sorted) this.rows.set(nameOf(row), row);
    });
  }
}
