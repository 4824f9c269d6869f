import { Injectable } from '@nestjs/common';
import type { DecisionRecord, MatcherRules } from '@tierline/events';
import type { LogTransaction } from '@tierline/log';
import { Matcher } from './matcher.ts';
import type { PoolAgent, PoolTicket } from './pool-state.ts';

/** What became of an offer. */
export type OfferOutcome = 'accepted' | 'declined' | 'expired' | 'agent_offline' | 'solved' | 'closed' | 'merged' | 'escalated';

/** An offer just made, in the columns of its row. */
export interface MadeOffer {
  offer_id: string;
  ticket_id: string;
  agent_id: string;
  pool: string;
  queue: string;
  tier: number;
  waited_ms: number;
  offered_at: string;
  expires_at: string;
  decision: DecisionRecord;
}

/** What one batch changed in the pools: written in few statements, however many tickets it holds. */
export interface PoolChanges {
  /** Without a state: gone. */
  readonly tickets: readonly { pool: string; id: string; state: PoolTicket | undefined }[];
  readonly agents: readonly { pool: string; id: string; state: PoolAgent | undefined }[];
  readonly rules: readonly { pool: string; rules: MatcherRules }[];
  readonly made: readonly MadeOffer[];
  readonly ended: ReadonlyMap<string, OfferOutcome>;
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
    const agents = await tx.query<{ state: PoolAgent }>('SELECT state FROM routing.agent WHERE pool = $1 ORDER BY agent_id', [pool]);
    const tickets = await tx.query<{ state: PoolTicket }>('SELECT state FROM routing.work WHERE pool = $1', [pool]);
    const [kept] = await tx.query<{ rules: MatcherRules | null }>('SELECT rules FROM routing.pool WHERE pool = $1', [pool]);
    return new Matcher({ rules: kept?.rules ?? undefined, agents: agents.map(({ state }) => state), tickets: tickets.map(({ state }) => state) });
  }

  /** The rows travel as JSON texts: as arrays of JSON texts the driver would escape each, at three times the cost. */
  async save(tx: LogTransaction, { tickets, agents, rules, made, ended }: PoolChanges): Promise<void> {
    const isHeld = ({ state }: { state: unknown }): boolean => state !== undefined;
    const gone = (changes: PoolChanges['tickets'] | PoolChanges['agents']): string[][] => {
      const rows = changes.filter((change) => !isHeld(change));
      return [rows.map(({ pool }) => pool), rows.map(({ id }) => id)];
    };
    await tx.query(SAVE, [JSON.stringify(tickets.filter(isHeld)), JSON.stringify(agents.filter(isHeld)), JSON.stringify(made)]);
    for (const { pool, rules: its } of rules) await tx.query('UPDATE routing.pool SET rules = $2 WHERE pool = $1', [pool, its]);
    if (ended.size > 0 || ![...tickets, ...agents].every(isHeld)) {
      // Planned each time: a plan kept from when the tables were small would read all of them.
      await tx.manager.query(END, [...gone(tickets), ...gone(agents), [...ended.keys()], [...ended.values()]]);
    }
  }
}

const SAVE = `
WITH work AS (
  INSERT INTO routing.work (pool, ticket_id, state) SELECT c->>'pool', (c->>'id')::uuid, c->'state' FROM jsonb_array_elements($1::jsonb) AS c
  ON CONFLICT (pool, ticket_id) DO UPDATE SET state = excluded.state),
agent AS (
  INSERT INTO routing.agent (pool, agent_id, state) SELECT c->>'pool', c->>'id', c->'state' FROM jsonb_array_elements($2::jsonb) AS c
  ON CONFLICT (pool, agent_id) DO UPDATE SET state = excluded.state)
INSERT INTO routing.offer (offer_id, ticket_id, agent_id, pool, queue, tier, waited_ms, offered_at, expires_at, decision)
SELECT * FROM jsonb_to_recordset($3::jsonb) AS o(
  offer_id uuid, ticket_id uuid, agent_id text, pool text, queue text, tier int, waited_ms bigint, offered_at timestamptz, expires_at timestamptz, decision jsonb)`;

const END = `
WITH work AS (DELETE FROM routing.work w USING unnest($1::text[], $2::uuid[]) AS gone(pool, id) WHERE w.pool = gone.pool AND w.ticket_id = gone.id),
agent AS (DELETE FROM routing.agent a USING unnest($3::text[], $4::text[]) AS gone(pool, id) WHERE a.pool = gone.pool AND a.agent_id = gone.id)
UPDATE routing.offer o SET outcome = n.outcome, ended_at = now() FROM unnest($5::uuid[], $6::text[]) AS n(offer_id, outcome) WHERE o.offer_id = n.offer_id`;
