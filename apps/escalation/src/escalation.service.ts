import { Injectable } from '@nestjs/common';
import { EscalationClosed, EscalationRaised, newId, type Actor, type Event, type SlaMetric, type TicketChanged, type TicketMerged } from '@tierline/events';
import { EventLog, type LogTransaction } from '@tierline/log';
import { conflict, invalid, notFound } from '@tierline/service';
import { Escalation } from './escalation.entity.ts';
import { planAutomatic, planFunctional, planHierarchical, type Plan, type Situation, type Staff } from './plan-escalation.ts';
import { PolicyService } from './policy.service.ts';
import type { Ticket } from './ticket.ts';
import { isDone } from './ticket-clocks.ts';
import { TicketService } from './ticket.service.ts';

/** Something that happened to a ticket and concerns its escalations. */
export type Occasion =
  | { readonly what: 'breached'; readonly ticket: Ticket; readonly clockId: string; readonly metric: SlaMetric; readonly event: Event | undefined }
  | { readonly what: 'done'; readonly ticket: Ticket; readonly event: Event };

/** What a person asks for. */
export interface Wanted {
  kind: 'functional' | 'hierarchical';
  toTier?: number | undefined;
  team?: string | undefined;
  reason: Escalation['reasonText'];
}

const SYSTEM: Actor = { kind: 'system' };

/** Raises and closes escalations: a record each, and an event that routing moves the ticket by. */
@Injectable()
export class EscalationService {
  constructor(
    private readonly log: EventLog,
    private readonly policies: PolicyService,
    private readonly tickets: TicketService,
  ) {}

  /** Raises what breaches ask for, and closes what a finished ticket leaves open. Returns the tickets that moved up, to be saved by the caller. */
  async react(tx: LogTransaction, occasions: readonly Occasion[]): Promise<Ticket[]> {
    if (occasions.length === 0) return [];
    const ids = occasions.map(({ ticket }) => ticket.ticketId);
    const { open, assignees } = await this.standing(tx, ids);
    const anyBreach = occasions.some(({ what }) => what === 'breached');
    const { tiers } = this.policies.latest;
    const staff = anyBreach ? await this.staff(tx, assignees.values()) : undefined;
    const moved = new Map<string, Ticket>();
    const touched = new Set<Escalation>();
    for (const occasion of occasions) {
      const { ticketId } = occasion.ticket;
      const ofTicket = open.get(ticketId) ?? [];
      open.set(ticketId, ofTicket);
      if (occasion.what === 'done') {
        for (const escalation of ofTicket.splice(0)) {
          await this.end(tx, escalation, endOf(occasion.event), occasion.event);
          touched.add(escalation);
        }
        continue;
      }
      const { tier, tierPath } = moved.get(ticketId) ?? occasion.ticket;
      const ticket = { ...occasion.ticket, tier, tierPath };
      const plan = planAutomatic(situationOf(ticket, assignees.get(ticketId), ofTicket), tiers, staff!);
      const { clockId, metric } = occasion;
      const escalation = await this.begin(tx, ticket, plan, {
        reason: { code: 'sla_breach', text: `the target for ${metric.replace('_', ' ')} was missed` },
        by: SYSTEM,
        breach: { clockId, metric, epoch: ticket.epoch },
        ...(occasion.event && { causedBy: occasion.event }),
      });
      ofTicket.push(escalation);
      touched.add(escalation);
      moved.set(ticketId, { ...ticket, tier: plan.toTier, tierPath: plan.tierPath });
    }
    await this.save(tx, [...touched]);
    return [...moved.values()];
  }

  /** Raises an escalation that a person asks for. The same key again means the same escalation. Throws when there is nowhere to escalate to. */
  async raise(ticketId: string, wanted: Wanted, by: Actor, code: Escalation['reasonCode'], requestKey: string | undefined): Promise<Escalation> {
    return this.log.transaction('escalation', async (tx) => {
      const ticket = (await this.tickets.lock(tx, [ticketId])).get(ticketId);
      if (!ticket) throw notFound('ticket', ticketId);
      const escalations = tx.manager.getRepository(Escalation);
      const same = requestKey !== undefined && (await escalations.findOneBy({ ticketId, requestKey }));
      if (same) return same;
      if (isDone(ticket)) throw conflict('escalation.ticket_done', `the ticket is ${ticket.status}; reopen it first`);
      const { open, assignees } = await this.standing(tx, [ticketId]);
      const staff = await this.staff(tx, assignees.values());
      const { tiers } = this.policies.latest;
      const { kind, toTier, team, reason } = wanted;
      if (team !== undefined && !tiers.some((tier) => tier.team === team) && !(await this.isTeam(tx, team))) {
        throw invalid('escalation.unknown_team', `there is no team "${team}"`);
      }
      const situation = situationOf(ticket, assignees.get(ticketId), open.get(ticketId) ?? []);
      const plan = kind === 'functional' ? planFunctional(situation, { toTier, team }, tiers, staff) : planHierarchical(situation, tiers, staff);
      if ('refused' in plan) throw conflict(plan.refused, plan.why);
      const escalation = await this.begin(tx, ticket, plan, { reason: { code, text: reason }, by, requestKey });
      await this.save(tx, [escalation]);
      await this.tickets.save(tx, [{ ...ticket, tier: plan.toTier, tierPath: plan.tierPath }]);
      return escalation;
    });
  }

  /** Closes an escalation by hand; one that is closed stays as it is. */
  async close(escalationId: string, outcome: NonNullable<Escalation['outcome']>, by: Actor): Promise<Escalation> {
    return this.log.transaction('escalation', async (tx) => {
      const escalation = await tx.manager.getRepository(Escalation).findOne({ where: { escalationId }, lock: { mode: 'pessimistic_write' } });
      if (!escalation) throw notFound('escalation', escalationId);
      if (escalation.state === 'closed') return escalation;
      await this.end(tx, escalation, { outcome, by });
      await this.save(tx, [escalation]);
      return escalation;
    });
  }

  private async begin(
    tx: LogTransaction,
    ticket: Ticket,
    plan: Plan,
    why: {
      reason: EscalationRaised['data']['reason'];
      by: Actor;
      breach?: { clockId: string; metric: SlaMetric; epoch: number };
      requestKey?: string | undefined;
      causedBy?: Event;
    },
  ): Promise<Escalation> {
    const at = await tx.now();
    const { reason, by, breach } = why;
    const escalation: Escalation = {
      escalationId: newId(),
      ticketId: ticket.ticketId,
      ...plan,
      team: plan.team ?? null,
      ownerId: plan.ownerId ?? null,
      reasonCode: reason.code,
      reasonText: reason.text,
      clockId: breach?.clockId ?? null,
      clockMetric: breach?.metric ?? null,
      clockEpoch: breach?.epoch ?? null,
      priority: ticket.priority,
      raisedBy: by,
      raisedAt: at,
      requestKey: why.requestKey ?? null,
      state: 'open',
      outcome: null,
      closedBy: null,
      closedAt: null,
    };
    const { escalationId, ticketId, priority } = escalation;
    tx.append(
      EscalationRaised,
      ticketId,
      {
        escalationId,
        ticketId,
        ...plan,
        reason,
        ...(breach && { breach: { clockId: breach.clockId, metric: breach.metric } }),
        priority,
        by,
        raisedAt: at.toISOString(),
      },
      why.causedBy,
    );
    return escalation;
  }

  private async end(
    tx: LogTransaction,
    escalation: Escalation,
    { outcome, by }: { outcome: NonNullable<Escalation['outcome']>; by: Actor },
    causedBy?: Event,
  ): Promise<void> {
    const at = await tx.now();
    Object.assign(escalation, { state: 'closed', outcome, closedBy: by, closedAt: at } satisfies Partial<Escalation>);
    const { escalationId, ticketId } = escalation;
    tx.append(EscalationClosed, ticketId, { escalationId, ticketId, outcome, by, closedAt: at.toISOString() }, causedBy);
  }

  /** Saves escalations, new ones and ended ones. */
  private async save(tx: LogTransaction, escalations: readonly Escalation[]): Promise<void> {
    if (escalations.length === 0) return;
    const { columns } = tx.manager.getRepository(Escalation).metadata;
    const rows = escalations.map((escalation) =>
      Object.fromEntries(columns.map((column) => [column.databaseName, column.getEntityValue(escalation) as unknown])),
    );
    await tx.query(
      `INSERT INTO escalation.escalation SELECT * FROM json_populate_recordset(null::escalation.escalation, $1::json)
       ON CONFLICT (escalation_id) DO UPDATE SET state = excluded.state, outcome = excluded.outcome, closed_by = excluded.closed_by, closed_at = excluded.closed_at`,
      [JSON.stringify(rows)],
    );
  }

  /** The open escalations of tickets, and who has the tickets. */
  private async standing(tx: LogTransaction, ticketIds: readonly string[]): Promise<{ open: Map<string, Escalation[]>; assignees: Map<string, string> }> {
    const ids = [...new Set(ticketIds)];
    const escalations = await tx.manager
      .getRepository(Escalation)
      .createQueryBuilder('e')
      .where(`e.state = 'open' AND e.ticket_id = ANY(:ids)`, { ids })
      .orderBy('e.escalation_id')
      .setLock('pessimistic_write')
      .getMany();
    const open = new Map<string, Escalation[]>(ids.map((id) => [id, []]));
    for (const escalation of escalations) open.get(escalation.ticketId)!.push(escalation);
    const assigned = await tx.query<{ ticket_id: string; agent_id: string }>(
      `SELECT a.* FROM unnest($1::uuid[]) AS wanted(id) CROSS JOIN LATERAL (SELECT * FROM escalation.assignment WHERE ticket_id = wanted.id AND agent_id IS NOT NULL) a`,
      [ids],
    );
    return { open, assignees: new Map(assigned.map(({ ticket_id: ticketId, agent_id: agentId }) => [ticketId, agentId])) };
  }

  /** The leads of all teams, and the chains of managers above them and above these agents. */
  private async staff(tx: LogTransaction, agentIds: Iterable<string>): Promise<Staff> {
    const leads = await tx.query<{ team: string; lead: string }>(
      'SELECT team, mode() WITHIN GROUP (ORDER BY manager_id) AS lead FROM escalation.agent WHERE active AND manager_id IS NOT NULL GROUP BY team',
    );
    const people = await tx.query<{ agent_id: string; manager_id: string | null; active: boolean }>(
      `WITH RECURSIVE up AS (
         SELECT agent_id, manager_id, active FROM escalation.agent WHERE agent_id = ANY($1::text[])
         UNION SELECT a.agent_id, a.manager_id, a.active FROM escalation.agent a JOIN up ON a.agent_id = up.manager_id)
       SELECT * FROM up`,
      [[...agentIds, ...leads.map(({ lead }) => lead)]],
    );
    return {
      leads: new Map(leads.map(({ team, lead }) => [team, lead])),
      people: new Map(people.map(({ agent_id: agentId, manager_id: managerId, active }) => [agentId, { managerId, active }])),
    };
  }

  private async isTeam(tx: LogTransaction, team: string): Promise<boolean> {
    const rows = await tx.query('SELECT 1 FROM escalation.agent WHERE team = $1 AND active LIMIT 1', [team]);
    return rows.length > 0;
  }
}

function situationOf(ticket: Ticket, assigneeId: string | undefined, open: readonly Escalation[]): Situation {
  return { ticket, assigneeId, ownerIds: open.flatMap(({ kind, ownerId }) => (kind === 'hierarchical' && ownerId !== null ? [ownerId] : [])) };
}

/** How a ticket that is done ends its escalations. A merged one was not resolved here. */
function endOf(event: Event): { outcome: 'resolved' | 'cancelled'; by: Actor } {
  const { by } = (event as TicketMerged | TicketChanged).data;
  return { outcome: event.type === 'ticket.merged' ? 'cancelled' : 'resolved', by };
}
