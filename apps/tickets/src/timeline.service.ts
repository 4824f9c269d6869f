import { Injectable } from '@nestjs/common';
import type { Event } from '@tierline/events';
import { EventLog, type LogTransaction } from '@tierline/log';
import type { TimelineEntry } from './timeline-entry.entity.ts';

/** A timeline shows no more of a text; the message itself has all of it. */
const TEXT_LENGTH = 10_000;

/** A point in a timeline: after the entry with this time and number. */
export interface TimelinePoint {
  at: string;
  seq: string;
}

/** One line of a ticket's history. `data` is the event's, or for `message` what was said. */
export interface TimelineItem extends TimelinePoint {
  type: string;
  data: object;
}

type NewEntry = Omit<TimelineEntry, 'seq'>;

/** Everything that happened to a ticket, in order. */
@Injectable()
export class TimelineService {
  private readonly pending = new WeakMap<LogTransaction, NewEntry[]>();

  constructor(private readonly log: EventLog) {}

  /** Keeps what happened to a ticket, when `tx` commits: one statement for all of a transaction. */
  record(tx: LogTransaction, entry: NewEntry): void {
    const entries = this.pending.get(tx);
    if (entries) {
      entries.push(entry);
      return;
    }
    const first = [entry];
    this.pending.set(tx, first);
    tx.beforeCommit(() => this.write(tx, first));
  }

  /** Keeps what an event says about its ticket. */
  recordEvent(tx: LogTransaction, { time, type, data: { ticketId, ...data } }: Event<string, { ticketId: string }>): void {
    this.record(tx, { ticketId, at: new Date(time), type, data });
  }

  /** Up to `limit` items after a point, oldest first. */
  async read(ticketId: string, after: TimelinePoint | undefined, limit: number): Promise<TimelineItem[]> {
    const rows = await this.log.dataSource.query<(Omit<TimelineItem, 'at'> & { at: Date })[]>(READ, [
      ticketId,
      after?.at ?? '-infinity',
      after?.seq ?? '0',
      limit,
      TEXT_LENGTH,
    ]);
    return rows.map(({ at, ...row }) => ({ at: at.toISOString(), ...row }));
  }

  private async write(tx: LogTransaction, entries: readonly NewEntry[]): Promise<void> {
    await tx.query(
      `INSERT INTO tickets.timeline_entry (ticket_id, at, type, data) SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::json[])`,
      [entries.map(({ ticketId }) => ticketId), entries.map(({ at }) => at), entries.map(({ type }) => type), entries.map(({ data }) => JSON.stringify(data))],
    );
  }
}

const READ = `
SELECT at, seq, type, data FROM (
  (SELECT at, seq, 'message' AS type, json_strip_nulls(json_build_object('messageId', id, 'kind', kind, 'by', json_build_object('kind', by_kind, 'id', by_id), 'public', public,
      'automatic', automatic, 'channel', channel, 'sender', sender, 'verdict', verdict, 'subject', subject, 'text', left(coalesce(text_stripped, text), $5::int),
      'truncated', coalesce(length(text_stripped), length(text), 0) > $5::int, 'hasHtml', html IS NOT NULL, 'attachments', attachments, 'call', call, 'revises', revises,
      'occurredAt', to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'delivery', delivery, 'deliveryDetail', delivery_detail)) AS data
   FROM tickets.message WHERE ticket_id = $1 AND (at, seq) > ($2::timestamptz, $3::bigint) ORDER BY at, seq LIMIT $4)
  UNION ALL
  (SELECT at, seq, type, data FROM tickets.timeline_entry WHERE ticket_id = $1 AND (at, seq) > ($2::timestamptz, $3::bigint) ORDER BY at, seq LIMIT $4)
  UNION ALL
  (SELECT opened_at, 0, 'ticket.opened', json_strip_nulls(json_build_object('number', number, 'channel', channel, 'followUpOf', follow_up_of, 'relatedTo', related_to))
   FROM tickets.ticket WHERE id = $1 AND (opened_at, 0) > ($2::timestamptz, $3::bigint))
) all_of_it ORDER BY at, seq LIMIT $4`;
