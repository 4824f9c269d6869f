import { Injectable } from '@nestjs/common';
import type { AgentChanged, TicketAssigned, TicketUnassigned } from '@tierline/events';
import type { LogTransaction } from '@tierline/log';

/** Who works here, and who has which ticket. */
@Injectable()
export class StaffService {
  async remember(tx: LogTransaction, events: readonly AgentChanged[]): Promise<void> {
    const agents = [...new Map(events.map(({ data }) => [data.agentId, data])).values()];
    await tx.query(
      `INSERT INTO escalation.agent (agent_id, team, manager_id, active) SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::boolean[])
       ON CONFLICT (agent_id) DO UPDATE SET team = excluded.team, manager_id = excluded.manager_id, active = excluded.active`,
      [
        agents.map(({ agentId }) => agentId),
        agents.map(({ team }) => team),
        agents.map(({ managerId }) => managerId ?? null),
        agents.map(({ active }) => active),
      ],
    );
  }

  async assign(tx: LogTransaction, events: readonly TicketAssigned[]): Promise<void> {
    const assigned = [...new Map(events.map(({ data }) => [data.ticketId, data])).values()].sort(byTicket);
    await tx.query(
      `INSERT INTO escalation.assignment (ticket_id, agent_id, team, assigned_at) SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[])
       ON CONFLICT (ticket_id) DO UPDATE SET agent_id = excluded.agent_id, team = excluded.team, assigned_at = excluded.assigned_at`,
      [
        assigned.map(({ ticketId }) => ticketId),
        assigned.map(({ agentId }) => agentId),
        assigned.map(({ team }) => team),
        assigned.map(({ assignedAt }) => assignedAt),
      ],
    );
  }

  /**
   * Who has these new tickets already. Leaves a row for each that nobody has, so that a transaction that assigns it at the same time waits for the ticket, and
   * then finds it.
   */
  async assigned(tx: LogTransaction, tickets: readonly { ticketId: string }[]): Promise<{ ticketId: string; team: string; assignedAt: number }[]> {
    if (tickets.length === 0) return [];
    const rows = await tx.query<{ ticket_id: string; team: string | null; assigned_at: Date | null }>(
      `INSERT INTO escalation.assignment (ticket_id) SELECT * FROM unnest($1::uuid[])
       ON CONFLICT (ticket_id) DO UPDATE SET ticket_id = excluded.ticket_id RETURNING ticket_id, team, assigned_at`,
      [[...tickets].sort(byTicket).map(({ ticketId }) => ticketId)],
    );
    return rows.flatMap(({ ticket_id: ticketId, team, assigned_at: assignedAt }) =>
      team === null || assignedAt === null ? [] : [{ ticketId, team, assignedAt: assignedAt.getTime() }],
    );
  }

  async unassign(tx: LogTransaction, events: readonly TicketUnassigned[]): Promise<void> {
    await tx.query('DELETE FROM escalation.assignment WHERE ticket_id = ANY($1::uuid[])', [events.map(({ data }) => data.ticketId)]);
  }
}

/** One order for everybody who locks several. */
const byTicket = (a: { ticketId: string }, b: { ticketId: string }): number => (a.ticketId < b.ticketId ? -1 : 1);
