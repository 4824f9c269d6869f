import { Injectable } from '@nestjs/common';
import type { AgentProfile, DecisionRecord, Presence, SkillRequirement, TicketPriority } from '@tierline/events';
import type { LogTransaction } from '@tierline/log';
import { Matcher, type Offer, type PoolAgent, type PoolTicket } from './matcher.ts';

/** What became of an offer. */
export type OfferOutcome = 'accepted' | 'declined' | 'expired' | 'agent_offline' | 'solved' | 'closed' | 'merged' | 'escalated';

/** An offer just made. */
export interface MadeOffer {
  offer: Offer;
  pool: string;
  ticket: Pick<PoolTicket, 'ticketId' | 'queue' | 'tier'>;
  waitedMs: number;
  record: DecisionRecord;
}

/** What one batch changed in the pools: written in few statements, however many tickets it holds. */
export interface PoolChanges {
  readonly tickets: { pool: string; ticketId: string; state: PoolTicket | undefined }[];
  readonly agents: { pool: string; agentId: string; state: PoolAgent | undefined }[];
  readonly made: MadeOffer[];
  readonly ended: ReadonlyMap<string, OfferOutcome>;
}

interface WorkRow {
  ticket_id: string;
  queue: string;
  tier: number;
  required: SkillRequirement[];
  weight: number;
  offer_timeout_ms: number;
  priority: TicketPriority;
  enqueued_at: Date;
  declined_by: string[];
  agent_id: string | null;
  offer_id: string | null;
  offered_at: Date | null;
  expires_at: Date | null;
}

interface AgentRow {
  profile: AgentProfile;
  presence: Presence;
  responding: boolean;
  idle_since: Date;
}

/** The rows behind the matchers. */
@Injectable()
export class PoolRows {
  /** Locks the pools and moves their versions: a second owner waits here, and then finds versions that are not its own. Returns the new versions. */
  async lock(tx: LogTransaction, pools: string[]): Promise<Map<string, number>> {
    const rows = await tx.query<{ pool: string; version: string }>(
      `INSERT INTO routing.pool AS p (pool, version) SELECT pool, 1 FROM unnest($1::text[]) AS n(pool) ORDER BY pool
       ON CONFLICT (pool) DO UPDATE SET version = p.version + 1 RETURNING pool, version`,
      [pools],
    );
    return new Map(rows.map(({ pool, version }) => [pool, Number(version)]));
  }

  /** The matcher of a locked pool, as its rows say. */
  async load(tx: LogTransaction, pool: string): Promise<Matcher> {
    const agents = await tx.query<AgentRow>('SELECT profile, presence, responding, idle_since FROM routing.agent WHERE pool = $1 ORDER BY agent_id', [pool]);
    const tickets = await tx.query<WorkRow>(
      `SELECT ticket_id, queue, tier, required, weight, offer_timeout_ms, priority, enqueued_at, declined_by, agent_id, offer_id, offered_at, expires_at
       FROM routing.work WHERE pool = $1`,
      [pool],
    );
    return new Matcher(pool, { agents: agents.map(agentOf), tickets: tickets.map(ticketOf) });
  }

  async save(tx: LogTransaction, { tickets, agents, made, ended }: PoolChanges): Promise<void> {
    await this.saveTickets(tx, tickets);
    await this.saveAgents(tx, agents);
    await this.saveOffers(tx, made, ended);
  }

  private async saveTickets(tx: LogTransaction, changes: PoolChanges['tickets']): Promise<void> {
    const gone = changes.filter(({ state }) => !state);
    if (gone.length > 0) {
      await tx.query(
        `DELETE FROM routing.work w USING unnest($1::text[], $2::uuid[]) AS gone(pool, ticket_id) WHERE w.pool = gone.pool AND w.ticket_id = gone.ticket_id`,
        [gone.map(({ pool }) => pool), gone.map(({ ticketId }) => ticketId)],
      );
    }
    const held = changes.flatMap(({ pool, state }) => (state ? [{ pool, ...state }] : []));
    if (held.length === 0) return;
    await tx.query(
      `INSERT INTO routing.work (pool, ticket_id, queue, tier, required, weight, offer_timeout_ms, priority, enqueued_at, declined_by, agent_id, offer_id, offered_at, expires_at)
       SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::int[], $5::jsonb[], $6::float8[], $7::int[], $8::text[], $9::timestamptz[], $10::jsonb[], $11::text[], $12::uuid[], $13::timestamptz[], $14::timestamptz[])
       ON CONFLICT (pool, ticket_id) DO UPDATE SET queue = excluded.queue, tier = excluded.tier, required = excluded.required, weight = excluded.weight,
         offer_timeout_ms = excluded.offer_timeout_ms, priority = excluded.priority, enqueued_at = excluded.enqueued_at, declined_by = excluded.declined_by,
         agent_id = excluded.agent_id, offer_id = excluded.offer_id, offered_at = excluded.offered_at, expires_at = excluded.expires_at`,
      [
        held.map(({ pool }) => pool),
        held.map(({ ticketId }) => ticketId),
        held.map(({ queue }) => queue),
        held.map(({ tier }) => tier),
        held.map(({ required }) => JSON.stringify(required)),
        held.map(({ weight }) => weight),
        held.map(({ offerTimeoutMs }) => offerTimeoutMs),
        held.map(({ priority }) => priority),
        held.map(({ enqueuedAtMs }) => new Date(enqueuedAtMs)),
        held.map(({ declinedBy }) => JSON.stringify(declinedBy)),
        held.map(({ offer, assigneeId }) => offer?.agentId ?? assigneeId ?? null),
        held.map(({ offer }) => offer?.offerId ?? null),
        held.map(({ offer }) => (offer ? new Date(offer.offeredAtMs) : null)),
        held.map(({ offer }) => (offer ? new Date(offer.expiresAtMs) : null)),
      ],
    );
  }

  private async saveAgents(tx: LogTransaction, changes: PoolChanges['agents']): Promise<void> {
    const gone = changes.filter(({ state }) => !state);
    if (gone.length > 0) {
      await tx.query(
        `DELETE FROM routing.agent a USING unnest($1::text[], $2::text[]) AS gone(pool, agent_id) WHERE a.pool = gone.pool AND a.agent_id = gone.agent_id`,
        [gone.map(({ pool }) => pool), gone.map(({ agentId }) => agentId)],
      );
    }
    const here = changes.flatMap(({ pool, state }) => (state ? [{ pool, ...state }] : []));
    if (here.length === 0) return;
    await tx.query(
      `INSERT INTO routing.agent (pool, agent_id, profile, presence, responding, idle_since)
       SELECT * FROM unnest($1::text[], $2::text[], $3::jsonb[], $4::text[], $5::boolean[], $6::timestamptz[])
       ON CONFLICT (pool, agent_id) DO UPDATE SET profile = excluded.profile, presence = excluded.presence, responding = excluded.responding, idle_since = excluded.idle_since`,
      [
        here.map(({ pool }) => pool),
        here.map(({ profile }) => profile.agentId),
        here.map(({ profile }) => JSON.stringify(profile)),
        here.map(({ presence }) => presence),
        here.map(({ responding }) => responding),
        here.map(({ idleSinceMs }) => new Date(idleSinceMs)),
      ],
    );
  }

  private async saveOffers(tx: LogTransaction, made: PoolChanges['made'], ended: PoolChanges['ended']): Promise<void> {
    if (made.length > 0) {
      await tx.query(
        `INSERT INTO routing.offer (offer_id, ticket_id, agent_id, pool, queue, tier, waited_ms, offered_at, expires_at, decision)
         SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::int[], $7::bigint[], $8::timestamptz[], $9::timestamptz[], $10::jsonb[])`,
        [
          made.map(({ offer }) => offer.offerId),
          made.map(({ ticket }) => ticket.ticketId),
          made.map(({ offer }) => offer.agentId),
          made.map(({ pool }) => pool),
          made.map(({ ticket }) => ticket.queue),
          made.map(({ ticket }) => ticket.tier),
          made.map(({ waitedMs }) => waitedMs),
          made.map(({ offer }) => new Date(offer.offeredAtMs)),
          made.map(({ offer }) => new Date(offer.expiresAtMs)),
          made.map(({ record }) => JSON.stringify(record)),
        ],
      );
    }
    if (ended.size > 0) {
      await tx.query(
        `UPDATE routing.offer o SET outcome = n.outcome, ended_at = now() FROM unnest($1::uuid[], $2::text[]) AS n(offer_id, outcome) WHERE o.offer_id = n.offer_id`,
        [[...ended.keys()], [...ended.values()]],
      );
    }
  }
}

function agentOf({ profile, presence, responding, idle_since: idleSince }: AgentRow): PoolAgent {
  return { profile, presence, responding, idleSinceMs: idleSince.getTime() };
}

function ticketOf(row: WorkRow): PoolTicket {
  const isOffered = row.offer_id !== null;
  return {
    ticketId: row.ticket_id,
    queue: row.queue,
    tier: row.tier,
    required: row.required,
    weight: row.weight,
    offerTimeoutMs: row.offer_timeout_ms,
    priority: row.priority,
    enqueuedAtMs: row.enqueued_at.getTime(),
    declinedBy: row.declined_by,
    ...(isOffered && {
      offer: { offerId: row.offer_id!, agentId: row.agent_id!, offeredAtMs: row.offered_at!.getTime(), expiresAtMs: row.expires_at!.getTime() },
    }),
    ...(!isOffered && row.agent_id !== null && { assigneeId: row.agent_id }),
  };
}
