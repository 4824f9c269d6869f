import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import {
  AgentPlaced,
  PoolConfigured,
  TicketQueued,
  TicketWithdrawn,
  type AgentChanged,
  type AgentProfile,
  type ClockWarned,
  type EscalationRaised,
  type Event,
  type Presence,
  type PresenceChanged,
  type TicketChanged,
  type TicketMerged,
  type TicketOpened,
  type TicketStatus,
} from '@tierline/events';
import { EventLog, type LogTransaction } from '@tierline/log';
import { INITIAL_CONFIGURATION, rulesOfPools, type RoutingConfiguration } from './configuration.ts';
import { escalatedWork } from './escalated-work.ts';
import { DEFAULT_RULES } from './match-rules.ts';
import { workPlanner } from './queued-work.ts';

interface TriagedTicket {
  /** What its pool was last told. */
  queued: TicketQueued['data'];
  isOpen: boolean;
  /** Whether a clock of it has been warned of, and it has been moved ahead for that. */
  isWarned: boolean;
}

interface Current {
  configuration: RoutingConfiguration;
  planWork: ReturnType<typeof workPlanner>;
}

interface KnownAgent {
  profile: AgentProfile;
  presence: Presence;
}

const isDone = (status: TicketStatus): status is 'solved' | 'closed' => status === 'solved' || status === 'closed';

/** Tells each pool what it needs to know of tickets and agents. */
@Injectable()
export class TriageService {
  private version = 0;
  private configuration = INITIAL_CONFIGURATION;
  private planWork = workPlanner(INITIAL_CONFIGURATION);

  constructor(private readonly log: EventLog) {}

  /** Applies a configuration: its rules at once, the rest to the tickets that come from now on. Returns whether it differs from the last. */
  async configure(section: RoutingConfiguration): Promise<boolean> {
    return this.log.transaction('routing', async (tx) => {
      await tx.query('LOCK TABLE routing.configuration IN SHARE ROW EXCLUSIVE MODE');
      const { configuration: before } = await this.current(tx);
      const added = await tx.query(
        `INSERT INTO routing.configuration (section) SELECT $1::jsonb
         WHERE $1::jsonb IS DISTINCT FROM (SELECT section FROM routing.configuration ORDER BY version DESC LIMIT 1) RETURNING version`,
        [JSON.stringify(section)],
      );
      const occurredAt = (await tx.now()).toISOString();
      const [rules, rulesBefore] = [rulesOfPools(section), rulesOfPools(before)];
      for (const pool of new Set([...rules.keys(), ...rulesBefore.keys()])) {
        const its = rules.get(pool) ?? DEFAULT_RULES;
        if (!isDeepStrictEqual(its, rulesBefore.get(pool) ?? DEFAULT_RULES)) tx.append(PoolConfigured, pool, { pool, rules: its, occurredAt });
      }
      return added.length > 0;
    });
  }

  async enqueue(tx: LogTransaction, events: TicketOpened[]): Promise<void> {
    const { planWork } = await this.current(tx);
    const tickets = events.map(({ data }): TriagedTicket => ({ isOpen: true, isWarned: false, queued: planWork(data) }));
    const early = await this.saveTickets(tx, tickets);
    tickets.forEach(({ queued }, index) => tx.append(TicketQueued, queued.pool, queued, events[index]));
    if (early.length === 0) return;
    await tx.query(`UPDATE routing.triaged_ticket SET early_escalations = '[]' WHERE ticket_id = ANY($1::uuid[])`, [early.map(({ data }) => data.ticketId)]);
    await this.escalate(tx, early);
  }

  /** A solved ticket needs nobody; a reopened one waits anew; another priority moves it in its queue. */
  async follow(tx: LogTransaction, events: TicketChanged[]): Promise<void> {
    const relevant = events.filter(({ data: { status, priority } }) => priority || (status && isDone(status.from) !== isDone(status.to)));
    const tickets = await this.loadTickets(tx, relevant);
    for (const event of relevant) {
      const { ticketId, status, priority, occurredAt } = event.data;
      const ticket = tickets.get(ticketId);
      if (!ticket) continue;
      if (priority) ticket.queued = { ...ticket.queued, priority: priority.to, reason: 'reprioritized' };
      if (status && isDone(status.to)) this.withdraw(tx, ticket, status.to, occurredAt, event);
      else if (status && isDone(status.from)) {
        ticket.isOpen = true;
        ticket.queued = { ...ticket.queued, reason: 'reopened', enqueuedAt: occurredAt };
      }
      if (ticket.isOpen) tx.append(TicketQueued, ticket.queued.pool, ticket.queued, event);
    }
    await this.saveTickets(tx, [...tickets.values()]);
  }

  /** A ticket whose time runs out moves ahead in its queue, once. */
  async advance(tx: LogTransaction, events: ClockWarned[]): Promise<void> {
    const { warnedBoostMs } = (await this.current(tx)).configuration;
    const tickets = warnedBoostMs === 0 ? new Map<string, TriagedTicket>() : await this.loadTickets(tx, events);
    for (const event of events) {
      const ticket = tickets.get(event.data.ticketId);
      if (!ticket || ticket.isWarned) continue;
      ticket.isWarned = true;
      ticket.queued = { ...ticket.queued, boostMs: (ticket.queued.boostMs ?? 0) + warnedBoostMs, reason: 'reprioritized' };
      if (ticket.isOpen) tx.append(TicketQueued, ticket.queued.pool, ticket.queued, event);
    }
    await this.saveTickets(tx, [...tickets.values()]);
  }

  async withdrawMerged(tx: LogTransaction, events: TicketMerged[]): Promise<void> {
    const tickets = await this.loadTickets(tx, events);
    for (const event of events) {
      const ticket = tickets.get(event.data.ticketId);
      if (ticket) this.withdraw(tx, ticket, 'merged', event.data.occurredAt, event);
    }
    await this.saveTickets(tx, [...tickets.values()]);
  }

  /** Queues escalated tickets again where and as they are to be handled now: those that have not been triaged yet as soon as they are. */
  async escalate(tx: LogTransaction, events: EscalationRaised[]): Promise<void> {
    const tickets = await this.loadTickets(tx, events);
    const early = events.filter(({ data }) => !tickets.has(data.ticketId));
    if (early.length > 0) await this.keepUntilTriaged(tx, early);
    const agents = await tx.query<{ profile: AgentProfile }>('SELECT profile FROM routing.known_agent');
    const profiles = agents.map(({ profile }) => profile);
    for (const event of events) {
      const ticket = tickets.get(event.data.ticketId);
      if (!ticket) continue;
      const escalated = escalatedWork(ticket.queued, event.data, profiles);
      if (!escalated) continue;
      const from = ticket.queued.pool;
      ticket.queued = escalated;
      // A solved ticket comes back at this tier if it comes back.
      if (!ticket.isOpen) continue;
      if (escalated.pool !== from) {
        tx.append(TicketWithdrawn, from, { ticketId: escalated.ticketId, pool: from, reason: 'escalated', occurredAt: event.data.raisedAt }, event);
      }
      tx.append(TicketQueued, escalated.pool, escalated, event);
    }
    await this.saveTickets(tx, [...tickets.values()]);
  }

  /** Whoever triages one of the tickets at this moment is waited for by the row: then it is escalated here. */
  private async keepUntilTriaged(tx: LogTransaction, events: EscalationRaised[]): Promise<void> {
    const kept = await tx.query<{ ticket_id: string }>(
      `INSERT INTO routing.triaged_ticket AS t (ticket_id, early_escalations)
       SELECT (e->>'key')::uuid, jsonb_agg(e ORDER BY o) FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS n(e, o) GROUP BY 1 ORDER BY 1
       ON CONFLICT (ticket_id) DO UPDATE SET early_escalations = t.early_escalations || excluded.early_escalations WHERE t.queued IS NULL RETURNING ticket_id`,
      [JSON.stringify(events)],
    );
    const waiting = new Set(kept.map((row) => row.ticket_id));
    const triaged = events.filter(({ data }) => !waiting.has(data.ticketId));
    if (triaged.length > 0) await this.escalate(tx, triaged);
  }

  /** Tells a pool the whole state of its agents, and the one an agent has left that they are gone. */
  async placeAgents(tx: LogTransaction, events: (AgentChanged | PresenceChanged)[]): Promise<void> {
    const rows = await tx.query<KnownAgent>('SELECT profile, presence FROM routing.known_agent WHERE agent_id = ANY($1::text[])', [
      events.map(({ data }) => data.agentId),
    ]);
    const agents = new Map(rows.map((row) => [row.profile.agentId, row]));
    for (const event of events) {
      const { agentId, occurredAt } = event.data;
      const before = agents.get(agentId);
      const agent = this.changed(before, event);
      if (!agent) continue;
      agents.set(agentId, agent);
      for (const pool of new Set([before?.profile.pool ?? agent.profile.pool, agent.profile.pool]))
        tx.append(AgentPlaced, pool, { pool, ...agent, occurredAt }, event);
    }
    await tx.query(
      `INSERT INTO routing.known_agent (agent_id, profile, presence)
       SELECT a->'profile'->>'agentId', a->'profile', a->>'presence' FROM jsonb_array_elements($1::jsonb) AS a
       ON CONFLICT (agent_id) DO UPDATE SET profile = excluded.profile, presence = excluded.presence`,
      [JSON.stringify([...agents.values()])],
    );
  }

  /** Undefined for the presence of somebody unknown: who they are is said before. */
  private changed(agent: KnownAgent | undefined, { type, data }: AgentChanged | PresenceChanged): KnownAgent | undefined {
    if (type === 'presence.changed') return agent && { ...agent, presence: data.presence };
    const { occurredAt: _, ...profile } = data;
    return { profile, presence: agent?.presence ?? 'offline' };
  }

  private withdraw(tx: LogTransaction, ticket: TriagedTicket, reason: 'solved' | 'closed' | 'merged', occurredAt: string, event: Event): void {
    const { ticketId, pool } = ticket.queued;
    ticket.isOpen = false;
    tx.append(TicketWithdrawn, pool, { ticketId, pool, reason, occurredAt }, event);
  }

  /** The newest configuration, read anew only when there is a newer one: another process may have taken it. */
  private async current(tx: LogTransaction): Promise<Current> {
    const [newest] = await tx.query<{ version: number; section: RoutingConfiguration | null }>(
      `SELECT version, CASE WHEN version > $1 THEN section END AS section FROM routing.configuration ORDER BY version DESC LIMIT 1`,
      [this.version],
    );
    if (newest?.section) {
      this.version = newest.version;
      this.configuration = newest.section;
      this.planWork = workPlanner(newest.section);
    }
    return { configuration: this.configuration, planWork: this.planWork };
  }

  private async loadTickets(tx: LogTransaction, events: Event<string, { ticketId: string }>[]): Promise<Map<string, TriagedTicket>> {
    if (events.length === 0) return new Map();
    // One look by the index for each: a plan kept from when the table was small would read all of it.
    const rows = await tx.query<TriagedTicket>(
      `SELECT t.queued, t.is_open AS "isOpen", t.is_warned AS "isWarned" FROM unnest($1::uuid[]) AS wanted(id)
       CROSS JOIN LATERAL (SELECT * FROM routing.triaged_ticket WHERE ticket_id = wanted.id AND queued IS NOT NULL LIMIT 1) AS t`,
      [events.map(({ data }) => data.ticketId)],
    );
    return new Map(rows.map((row) => [row.queued.ticketId, row]));
  }

  /**
   * Returns the escalations that have waited for the tickets. The rows travel as one JSON text: as arrays of JSON texts the driver would escape each, at three
   * times the cost.
   */
  private async saveTickets(tx: LogTransaction, tickets: TriagedTicket[]): Promise<EscalationRaised[]> {
    if (tickets.length === 0) return [];
    const rows = await tx.query<{ early: EscalationRaised }>(
      `WITH saved AS (
         INSERT INTO routing.triaged_ticket (ticket_id, queued, is_open, is_warned)
         SELECT (t->'queued'->>'ticketId')::uuid, t->'queued', (t->'isOpen')::boolean, (t->'isWarned')::boolean FROM jsonb_array_elements($1::jsonb) AS t
         ON CONFLICT (ticket_id) DO UPDATE SET queued = excluded.queued, is_open = excluded.is_open, is_warned = excluded.is_warned, changed_at = now() RETURNING early_escalations)
       SELECT early FROM saved CROSS JOIN LATERAL jsonb_array_elements(early_escalations) AS early`,
      [JSON.stringify(tickets)],
    );
    return rows.map(({ early }) => early);
  }
}
