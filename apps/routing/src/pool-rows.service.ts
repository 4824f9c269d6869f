import { Injectable } from '@nestjs/common';
import type { DecisionRecord } from '@tierline/events';
import type { LogTransaction } from '@tierline/log';
import { Matcher, type PoolAgent, type PoolTicket } from './matcher.ts';

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
    return new Matcher(pool, { agents: agents.map(({ state }) => state), tickets: tickets.map(({ state }) => state) });
  }

  async save(tx: LogTransaction, { tickets, agents, made, ended }: PoolChanges): Promise<void> {
    await this.saveStates(tx, 'work', 'ticket_id', 'uuid', tickets);
    await this.saveStates(tx, 'agent', 'agent_id', 'text', agents);
    if (made.length > 0) {
      await tx.query(
        `INSERT INTO routing.offer (offer_id, ticket_id, agent_id, pool, queue, tier, waited_ms, offered_at, expires_at, decision)
         SELECT * FROM jsonb_to_recordset($1::jsonb) AS o(offer_id uuid, ticket_id uuid, agent_id text, pool text, queue text, tier int, waited_ms bigint, offered_at timestamptz, expires_at timestamptz, decision jsonb)`,
        [JSON.stringify(made)],
      );
    }
    if (ended.size > 0) {
      await tx.query(
        `UPDATE routing.offer o SET outcome = n.outcome, ended_at = now() FROM unnest($1::uuid[], $2::text[]) AS n(offer_id, outcome) WHERE o.offer_id = n.offer_id`,
        [[...ended.keys()], [...ended.values()]],
      );
    }
  }

  /** The rows travel as one JSON text: as arrays of JSON texts the driver would escape each, at three times the cost. */
  private async saveStates(
    tx: LogTransaction,
    table: 'work' | 'agent',
    key: string,
    type: string,
    changes: PoolChanges['tickets'] | PoolChanges['agents'],
  ): Promise<void> {
    const gone = changes.filter(({ state }) => !state);
    if (gone.length > 0) {
      await tx.query(
        `DELETE FROM routing.${table} t USING unnest($1::text[], $2::${type}[]) AS gone(pool, id) WHERE t.pool = gone.pool AND t.${key} = gone.id`,
        [gone.map(({ pool }) => pool), gone.map(({ id }) => id)],
      );
    }
    const held = changes.filter(({ state }) => state);
    if (held.length === 0) return;
    await tx.query(
      `INSERT INTO routing.${table} (pool, ${key}, state) SELECT c->>'pool', (c->>'id')::${type}, c->'state' FROM jsonb_array_elements($1::jsonb) AS c
       ON CONFLICT (pool, ${key}) DO UPDATE SET state = excluded.state`,
      [JSON.stringify(held)],
    );
  }
}
