import { decodeForeignEvent } from './envelope.ts';
import { NotWaitingError, UndecodableEventError, UnknownEventError } from './errors.ts';
import type { EventLog, LogTransaction } from './event-log.ts';

/** An event that a group could not handle: parked until somebody decides, or waiting to be tried again. */
export interface ParkedEvent {
  readonly id: string;
  readonly group: string;
  readonly state: 'parked' | 'waiting';
  readonly topic: string;
  readonly key: string;
  readonly type: string;
  readonly attempts: number;
  /** Absent for those that only wait behind an earlier event of their key. */
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  /** Whether later events of the key wait for it. */
  readonly blocksKey: boolean;
  readonly dueAt: Date;
  readonly since: Date;
}

export interface ParkedFilter {
  readonly group?: string | undefined;
  readonly state?: 'parked' | 'waiting' | undefined;
  readonly errorCode?: string | undefined;
  readonly type?: string | undefined;
  /** The last id of the page before. */
  readonly after?: string | undefined;
  readonly limit: number;
}

interface Row {
  grp: string;
  topic: string;
  key: string;
  type: string;
  payload: string;
}

const COLUMNS = `seq AS id, grp AS "group", state, topic, key, type, attempts, error_code AS "errorCode", error_message AS "errorMessage",
  blocks_key AS "blocksKey", due_at AS "dueAt", since`;

/** What an operator can do about the events that the groups of this log could not handle. Everything done is noted in the same transaction. */
export class ParkedEvents {
  constructor(private readonly log: EventLog) {}

  /** In the order in which they were set aside. */
  async list({ group, state, errorCode, type, after, limit }: ParkedFilter): Promise<ParkedEvent[]> {
    return this.log.dataSource.query<ParkedEvent[]>(
      `SELECT ${COLUMNS} FROM ${this.table} WHERE ($1::text IS NULL OR grp = $1) AND ($2::text IS NULL OR state = $2)
       AND ($3::text IS NULL OR error_code = $3) AND ($4::text IS NULL OR type = $4) AND seq > $5 ORDER BY seq LIMIT $6`,
      [group, state, errorCode, type, after ?? 0, limit],
    );
  }

  /** One event with its payload. Throws NotWaitingError. */
  async show(id: string): Promise<ParkedEvent & { payload: string }> {
    const [row] = await this.log.dataSource.query<(ParkedEvent & { payload: string })[]>(`SELECT ${COLUMNS}, payload FROM ${this.table} WHERE seq = $1`, [id]);
    if (!row) throw new NotWaitingError(id);
    return row;
  }

  /** Has it tried again at once, with all its attempts before it. Throws NotWaitingError. */
  async retry(id: string, actor: string): Promise<void> {
    await this.decide(id, actor, 'retry', (tx) =>
      tx.query<Row>(`UPDATE ${this.table} SET state = 'waiting', attempts = 0, due_at = now() WHERE seq = $1 RETURNING grp, topic, key, type, payload`, [id]),
    );
  }

  /** Gives it up, so that the later events of its key go on. The audit keeps the payload. Throws NotWaitingError. */
  async skip(id: string, actor: string): Promise<void> {
    await this.decide(id, actor, 'skip', (tx) => tx.query<Row>(`DELETE FROM ${this.table} WHERE seq = $1 RETURNING grp, topic, key, type, payload`, [id]));
  }

  /**
   * Puts another event in its place, and has that tried at once. The audit keeps the payload that was there.
   * Throws NotWaitingError, UndecodableEventError or UnknownEventError.
   */
  async edit(id: string, envelope: object, actor: string): Promise<void> {
    const payload = JSON.stringify(envelope);
    const event = decodeForeignEvent(payload);
    if (!event) throw new UnknownEventError();
    await this.decide(id, actor, 'edit', async (tx) => {
      const [before] = await tx.query<Row & { blocks_key: boolean }>(
        `SELECT grp, topic, key, type, payload, blocks_key FROM ${this.table} WHERE seq = $1 FOR UPDATE`,
        [id],
      );
      if (!before) return [];
      if (before.blocks_key && before.key !== event.key)
        throw new UndecodableEventError(`the subject must stay ${before.key}: events of one key are handled in order`);
      await tx.query(`UPDATE ${this.table} SET payload = $2, key = $3, type = $4, state = 'waiting', attempts = 0, due_at = now() WHERE seq = $1`, [
        ...[id, payload, event.key, event.type],
      ]);
      return [before];
    });
  }

  private async decide(id: string, actor: string, action: string, change: (tx: LogTransaction) => Promise<Row[]>): Promise<void> {
    await this.log.transaction('operator', async (tx) => {
      const [before] = await change(tx);
      if (!before) throw new NotWaitingError(id);
      await tx.query(`INSERT INTO ${this.log.schema}.parked_audit (actor, action, grp, topic, key, type, payload) VALUES ($1, $2, $3, $4, $5, $6, $7)`, [
        ...[actor, action, before.grp, before.topic, before.key, before.type, before.payload],
      ]);
    });
  }

  private get table(): string {
    return `${this.log.schema}.retry_event`;
  }
}
