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
    const assignees = new Map(events.map(({ data }) => [data.ticketId, data.agentId]));
    await tx.query(
      `INSERT INTO escalation.assignment (ticket_id, agent_id) SELECT * FROM unnest($1::uuid[], $2::text[])
       ON CONFLICT (ticket_id) DO UPDATE SET agent_id = excluded.agent_id`,
      [[...assignees.keys()], [...assignees.values()]],
    );
  }

  async unassign(tx: LogTransaction, events: readonly TicketUnassigned[]): Promise<void> {
    await tx.query('DELETE FROM escalation.assignment WHERE ticket_id = ANY($1::uuid[])', [events.map(({ data }) => data.ticketId)]);
  }
}
