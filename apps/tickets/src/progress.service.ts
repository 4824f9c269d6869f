import { Injectable } from '@nestjs/common';
import type { Event, EscalationRaised, MessageFailed, MessageSent, TicketAssigned, TicketRequeued, TicketUnassigned } from '@tierline/events';
import type { LogTransaction } from '@tierline/log';
import { ChangesService } from './changes.service.ts';
import type { Delivery } from './message.entity.ts';
import { move } from './next-status.ts';
import { lockTickets, saveTickets, type Ticket } from './ticket.entity.ts';

/** Keeps with each ticket what other services have made of it. */
@Injectable()
export class ProgressService {
  constructor(private readonly changes: ChangesService) {}

  /** The agent has the ticket, and so it is not new any more. */
  async assign(events: readonly TicketAssigned[], tx: LogTransaction): Promise<void> {
    await this.update(tx, events, async (ticket, event, at) => {
      const { agentId } = event.data;
      ticket.assignee = agentId;
      if (ticket.status !== 'new') return;
      move(ticket, 'open', at);
      await this.changes.announce(tx, ticket, { status: { from: 'new', to: 'open' } }, { kind: 'agent', id: agentId }, event);
    });
  }

  /** Nobody has the ticket, unless somebody else has taken it meanwhile. */
  async unassign(events: readonly (TicketUnassigned | TicketRequeued)[], tx: LogTransaction): Promise<void> {
    await this.update(tx, events, (ticket, { data: { agentId } }) => {
      if (ticket.assignee === agentId) ticket.assignee = null;
    });
  }

  async escalate(events: readonly EscalationRaised[], tx: LogTransaction): Promise<void> {
    await this.update(tx, events, (ticket, { data: { toTier } }) => {
      ticket.tier = toTier;
    });
  }

  /** What became of replies. Of messages that no agent wrote, acknowledgements and notices, there is no row here. */
  async deliver(events: readonly (MessageSent | MessageFailed)[], tx: LogTransaction): Promise<void> {
    const replies = await tx.query<{ id: string }>(
      `SELECT m.id FROM unnest($1::uuid[]) AS wanted(id) CROSS JOIN LATERAL (SELECT id FROM tickets.message WHERE id = wanted.id LIMIT 1) m`,
      [events.map(({ data }) => data.messageId)],
    );
    if (replies.length === 0) return;
    const outcomes = new Map(events.map((event) => [event.data.messageId, event]));
    const delivered = replies.map(({ id }) => outcomes.get(id)!);
    await tx.query(
      `UPDATE tickets.message m SET delivery = n.delivery, delivery_detail = n.detail
       FROM unnest($1::uuid[], $2::text[], $3::text[]) AS n(id, delivery, detail) WHERE m.id = n.id`,
      [
        delivered.map(({ data }) => data.messageId),
        delivered.map((event) => (event.type === 'message.sent' ? 'sent' : event.data.outcome === 'permanent' ? 'failed' : 'unknown') satisfies Delivery),
        delivered.map((event) => (event.type === 'message.sent' ? null : event.data.reason)),
      ],
    );
  }

  private async update<E extends Event<string, { ticketId: string }>>(
    tx: LogTransaction,
    events: readonly E[],
    change: (ticket: Ticket, event: E, at: Date) => void | Promise<void>,
  ): Promise<void> {
    const tickets = new Map(
      (
        await lockTickets(
          tx,
          events.map(({ data }) => data.ticketId),
        )
      ).map((ticket) => [ticket.id, ticket]),
    );
    const at = await tx.now();
    for (const event of events) {
      const ticket = tickets.get(event.data.ticketId);
      if (!ticket) continue;
      await change(ticket, event, at);
      ticket.changedAt = at;
    }
    await saveTickets(tx, [...tickets.values()]);
  }
}
