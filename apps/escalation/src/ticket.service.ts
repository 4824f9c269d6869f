import { Injectable } from '@nestjs/common';
import { textArray, type LogTransaction } from '@tierline/log';
import { heedsAssignment } from './facts-of.ts';
import { keptOf, restore, type KeptTicket } from './fold-ticket.ts';
import { PolicyService } from './policy.service.ts';
import type { Ticket } from './ticket.ts';
import type { Fact } from './ticket-clocks.ts';

/** What stands beside the columns. */
interface State extends KeptTicket, Pick<Ticket, 'tierPath' | 'armed' | 'epoch' | 'pastFacts'> {}

interface TicketRow extends Pick<Ticket, 'status' | 'tier'> {
  ticket_id: string;
  state: State;
}

const COLUMNS = 'ticket_id, status, tier, state';

/** Tickets with their clocks, a row each. */
@Injectable()
export class TicketService {
  constructor(private readonly policies: PolicyService) {}

  /** Those that are known, locked until the transaction ends, in one order for everybody. */
  async lock(tx: LogTransaction, ticketIds: Iterable<string>, condition: 'true' | 'heeds_assignment' = 'true'): Promise<Map<string, Ticket>> {
    // LATERAL, or a plan that was prepared while the table was small would read it whole for ever after.
    const rows = await tx.query<TicketRow>(
      `SELECT t.* FROM unnest($1::uuid[]) AS wanted(id)
       CROSS JOIN LATERAL (SELECT ${COLUMNS} FROM escalation.ticket WHERE ticket_id = wanted.id AND ${condition} FOR UPDATE) t`,
      [[...new Set(ticketIds)].sort()],
    );
    return new Map((await this.restored(tx, rows)).map((ticket) => [ticket.ticketId, ticket]));
  }

  async read(tx: LogTransaction, ticketId: string): Promise<Ticket | undefined> {
    const [row] = await tx.query<TicketRow>(`SELECT ${COLUMNS} FROM escalation.ticket WHERE ticket_id = $1`, [ticketId]);
    return row && (await this.restored(tx, [row]))[0];
  }

  /** Tickets that may still change, by id, locked. */
  async lockOpen(tx: LogTransaction, after: string, limit: number): Promise<Ticket[]> {
    const rows = await tx.query<TicketRow>(
      `SELECT ${COLUMNS} FROM escalation.ticket WHERE status <> 'closed' AND ticket_id > $1 ORDER BY ticket_id LIMIT $2 FOR UPDATE`,
      [after, limit],
    );
    return this.restored(tx, rows);
  }

  private async restored(tx: LogTransaction, rows: readonly TicketRow[]): Promise<Ticket[]> {
    // After the rows: then the book knows every version that they were saved under.
    await this.policies.inForce(tx);
    return rows.map(({ ticket_id: ticketId, status, tier, state: { tierPath, armed, epoch, pastFacts, ...kept } }) => {
      const clocks = restore(kept, this.policies.book);
      return { ticketId, status, priority: clocks.head.priority, tier, tierPath, clocks, armed, epoch, pastFacts };
    });
  }

  /** The facts that a ticket no longer carries. */
  async past(tx: LogTransaction, ticketId: string): Promise<Fact[]> {
    const rows = await tx.query<{ facts: Fact[] }>('SELECT facts FROM escalation.past_facts WHERE ticket_id = $1 ORDER BY facts_before', [ticketId]);
    return rows.flatMap(({ facts }) => facts);
  }

  /** Saves tickets, new ones too. The old ones must be locked. */
  async save(tx: LogTransaction, tickets: readonly Ticket[]): Promise<void> {
    if (tickets.length === 0) return;
    await tx.query(
      `INSERT INTO escalation.ticket (${COLUMNS}, heeds_assignment)
       SELECT id, status, tier, state::json, heeds FROM unnest($1::uuid[], $2::text[], $3::smallint[], $4::text[], $5::boolean[]) AS t(id, status, tier, state, heeds)
       ON CONFLICT (ticket_id) DO UPDATE SET status = excluded.status, tier = excluded.tier, state = excluded.state, heeds_assignment = excluded.heeds_assignment`,
      [
        tickets.map(({ ticketId }) => ticketId),
        tickets.map(({ status }) => status),
        tickets.map(({ tier }) => tier),
        textArray(tickets.map((ticket) => JSON.stringify(stateOf(ticket)))),
        tickets.map(({ clocks }) => heedsAssignment(clocks.head, this.policies.book)),
      ],
    );
  }

  /** Keeps facts that left their tickets; `before` is how many had left before. */
  async keepPast(tx: LogTransaction, left: readonly { ticketId: string; before: number; facts: readonly Fact[] }[]): Promise<void> {
    if (left.length === 0) return;
    await tx.query(
      'INSERT INTO escalation.past_facts (ticket_id, facts_before, facts) SELECT id, before, facts::json FROM unnest($1::uuid[], $2::int[], $3::text[]) AS t(id, before, facts)',
      [left.map(({ ticketId }) => ticketId), left.map(({ before }) => before), textArray(left.map(({ facts }) => JSON.stringify(facts)))],
    );
  }
}

function stateOf({ tierPath, armed, epoch, pastFacts, clocks }: Ticket): State {
  return { tierPath, armed, epoch, pastFacts, ...keptOf(clocks) };
}
