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

/** Saves tickets as they are now, new ones too, which get their numbers. The old ones must be locked. */
export async function saveTickets(tx: LogTransaction, tickets: readonly Ticket[]): Promise<void> {
  if (tickets.length === 0) return;
  const rows = await tx.query<{ id: string; number: string }>(SAVE, [
    tickets.map((ticket) => ticket.id),
    tickets.map((ticket) => ticket.number || null),
    tickets.map((ticket) => ticket.status),
    tickets.map((ticket) => ticket.priority),
    tickets.map((ticket) => ticket.labels.join('\n')),
    tickets.map((ticket) => ticket.tier),
    tickets.map((ticket) => ticket.channel),
    tickets.map((ticket) => ticket.accountRef),
    tickets.map((ticket) => ticket.brand),
    tickets.map((ticket) => ticket.customerId),
    tickets.map((ticket) => ticket.participants.join('\n')),
    tickets.map((ticket) => ticket.subject),
    tickets.map((ticket) => ticket.language),
    tickets.map((ticket) => ticket.silent),
    tickets.map((ticket) => ticket.assignee),
    tickets.map((ticket) => ticket.followUpOf),
    tickets.map((ticket) => ticket.relatedTo),
    tickets.map((ticket) => ticket.mergedInto),
    tickets.map((ticket) => ticket.openedAt),
    tickets.map((ticket) => ticket.changedAt),
    tickets.map((ticket) => ticket.solvedAt),
    tickets.map((ticket) => ticket.closedAt),
  ]);
  const numbers = new Map(rows.map((row) => [row.id, Number(row.number)]));
  for (const ticket of tickets) ticket.number = numbers.get(ticket.id)!;
}

// LATERAL here and elsewhere: a prepared plan made while a table was small would scan the whole table for ever after.
const LOCK = `
SELECT t.* FROM unnest($1::uuid[]) AS wanted(id) CROSS JOIN LATERAL (
  SELECT id, number, status, priority, labels, tier, channel, account_ref AS "accountRef", brand, customer_id AS "customerId", participants, subject, language, silent,
    assignee, follow_up_of AS "followUpOf", related_to AS "relatedTo", merged_into AS "mergedInto", opened_at AS "openedAt", changed_at AS "changedAt",
    solved_at AS "solvedAt", closed_at AS "closedAt"
  FROM tickets.ticket WHERE id = wanted.id FOR UPDATE) t`;

const SAVE = `
INSERT INTO tickets.ticket AS t (id, number, status, priority, labels, tier, channel, account_ref, brand, customer_id, participants, subject, language, silent,
  assignee, follow_up_of, related_to, merged_into, opened_at, changed_at, solved_at, closed_at)
SELECT id, coalesce(number, nextval('tickets.ticket_number')), status, priority, string_to_array(labels, E'\\n'), tier, channel, account_ref, brand, customer_id,
  string_to_array(participants, E'\\n')::uuid[], subject, language, silent, assignee, follow_up_of, related_to, merged_into, opened_at, changed_at, solved_at, closed_at
FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::smallint[], $7::text[], $8::text[], $9::text[], $10::uuid[], $11::text[], $12::text[],
  $13::text[], $14::boolean[], $15::text[], $16::uuid[], $17::uuid[], $18::uuid[], $19::timestamptz[], $20::timestamptz[], $21::timestamptz[], $22::timestamptz[])
  AS n(id, number, status, priority, labels, tier, channel, account_ref, brand, customer_id, participants, subject, language, silent,
    assignee, follow_up_of, related_to, merged_into, opened_at, changed_at, solved_at, closed_at)
ON CONFLICT (id) DO UPDATE SET status = excluded.status, priority = excluded.priority, labels = excluded.labels, tier = excluded.tier,
  participants = excluded.participants, assignee = excluded.assignee, merged_into = excluded.merged_into, changed_at = excluded.changed_at,
  solved_at = excluded.solved_at, closed_at = excluded.closed_at
RETURNING id, number`;
