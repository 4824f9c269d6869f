import type { TicketPriority, TicketStatus } from '@tierline/events';
import type { LogTransaction } from '@tierline/log';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A matter of a customer, from the first contact to the end. */
@Entity({ schema: 'tickets', name: 'ticket' })
export class Ticket {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;
  /** What people say to each other; from a sequence, with gaps. 0 until it is saved. */
  @Column({ type: 'bigint', transformer: { from: Number, to: (value: number) => value } })
  number!: number;
  @Column({ type: 'text' })
  status!: TicketStatus;
  @Column({ type: 'text' })
  priority!: TicketPriority;
  @Column({ type: 'text', array: true })
  labels!: string[];
  @Column({ type: 'smallint' })
  tier!: number;
  @Column({ type: 'text' })
  channel!: string;
  @Column({ name: 'account_ref', type: 'text' })
  accountRef!: string;
  @Column({ type: 'text', nullable: true })
  brand!: string | null;
  @Column({ name: 'customer_id', type: 'uuid' })
  customerId!: string;
  /** The customers who may write into it: who opened it, who held a signed token, who came with a merged ticket. */
  @Column({ type: 'uuid', array: true })
  participants!: string[];
  @Column({ type: 'text' })
  subject!: string;
  @Column({ type: 'text', nullable: true })
  language!: string | null;
  @Column({ type: 'boolean' })
  silent!: boolean;
  @Column({ type: 'text', nullable: true })
  assignee!: string | null;
  @Column({ name: 'follow_up_of', type: 'uuid', nullable: true })
  followUpOf!: string | null;
  /** The ticket of the conversation, when somebody wrote into it who has no part in that ticket. */
  @Column({ name: 'related_to', type: 'uuid', nullable: true })
  relatedTo!: string | null;
  @Column({ name: 'merged_into', type: 'uuid', nullable: true })
  mergedInto!: string | null;
  @Column({ name: 'opened_at', type: 'timestamptz' })
  openedAt!: Date;
  @Column({ name: 'changed_at', type: 'timestamptz' })
  changedAt!: Date;
  @Column({ name: 'solved_at', type: 'timestamptz', nullable: true })
  solvedAt!: Date | null;
  @Column({ name: 'closed_at', type: 'timestamptz', nullable: true })
  closedAt!: Date | null;
}

/** Locks tickets until the transaction ends, in one order for everybody, and returns those that exist. */
export async function lockTickets(tx: LogTransaction, ids: Iterable<string>): Promise<Ticket[]> {
  const sorted = [...new Set(ids)].sort();
  if (sorted.length === 0) return [];
  const rows = await tx.query<Ticket>(LOCK, [sorted]);
  for (const row of rows) row.number = Number(row.number);
  return rows;
}

/** Saves tickets as they are now. New ones get their numbers; the others must be locked. */
export async function saveTickets(tx: LogTransaction, tickets: readonly Ticket[]): Promise<void> {
  const opened = tickets.filter(({ number }) => number === 0);
  const changed = tickets.filter(({ number }) => number > 0);
  if (opened.length > 0) {
    const rows = await tx.query<{ id: string; number: string }>(INSERT, [JSON.stringify(opened)]);
    const numbers = new Map(rows.map(({ id, number }) => [id, Number(number)]));
    for (const ticket of opened) ticket.number = numbers.get(ticket.id)!;
  }
  if (changed.length > 0) await tx.query(UPDATE, [JSON.stringify(changed)]);
}

// LATERAL here and elsewhere: a prepared plan made while a table was small would scan the whole table for ever after.
const LOCK = `
SELECT t.* FROM unnest($1::uuid[]) AS wanted(id) CROSS JOIN LATERAL (
  SELECT id, number, status, priority, labels, tier, channel, account_ref AS "accountRef", brand, customer_id AS "customerId", participants, subject, language, silent,
    assignee, follow_up_of AS "followUpOf", related_to AS "relatedTo", merged_into AS "mergedInto", opened_at AS "openedAt", changed_at AS "changedAt",
    solved_at AS "solvedAt", closed_at AS "closedAt"
  FROM tickets.ticket WHERE id = wanted.id FOR UPDATE) t`;

const COLUMNS = `id, number, status, priority, labels, tier, channel, account_ref, brand, customer_id, participants, subject, language, silent,
  assignee, follow_up_of, related_to, merged_into, opened_at, changed_at, solved_at, closed_at`;

// One JSON parameter: for rows of this width it costs both sides less than an array for each column.
const ROWS = `json_to_recordset($1::json) AS t(id uuid, number bigint, status text, priority text, labels text[], tier smallint, channel text, "accountRef" text, brand text,
  "customerId" uuid, participants uuid[], subject text, language text, silent boolean, assignee text, "followUpOf" uuid, "relatedTo" uuid, "mergedInto" uuid,
  "openedAt" timestamptz, "changedAt" timestamptz, "solvedAt" timestamptz, "closedAt" timestamptz)`;

const INSERT = `
INSERT INTO tickets.ticket (${COLUMNS})
SELECT id, nextval('tickets.ticket_number'), status, priority, labels, tier, channel, "accountRef", brand, "customerId", participants, subject, language, silent,
  assignee, "followUpOf", "relatedTo", "mergedInto", "openedAt", "changedAt", "solvedAt", "closedAt"
FROM ${ROWS} RETURNING id, number`;

// Every row is there: this is an UPDATE that goes by the primary key whatever the planner thinks of the table.
const UPDATE = `
INSERT INTO tickets.ticket (${COLUMNS}) SELECT * FROM ${ROWS}
ON CONFLICT (id) DO UPDATE SET status = excluded.status, priority = excluded.priority, labels = excluded.labels, tier = excluded.tier,
  participants = excluded.participants, assignee = excluded.assignee, merged_into = excluded.merged_into, changed_at = excluded.changed_at,
  solved_at = excluded.solved_at, closed_at = excluded.closed_at`;
