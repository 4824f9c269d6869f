import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import {
  AgentChanged,
  derivedId,
  newId,
  PresenceChanged,
  PresenceLapsed,
  TokenIssued,
  TokenRevoked,
  type AgentProfile,
  type Event,
  type Presence,
  type Role,
  type TicketRequeued,
} from '@tierline/events';
import { EventLog, type LogTransaction } from '@tierline/log';
import { invalid, notFound, sha256 } from '@tierline/service';
import { Timers } from '@tierline/timers';
import { agentProfiles } from './agent-profile.ts';
import type { PeopleConfiguration } from './configuration.ts';

/** A token as it is shown, once, to whoever asked for it. */
export interface IssuedToken {
  tokenId: string;
  token: string;
}

interface TokenRow {
  token_id: string;
  sha256: string;
  subject: string;
  roles: Role[];
}

@Injectable()
export class PeopleService {
  constructor(
    private readonly log: EventLog,
    private readonly timers: Timers,
  ) {}

  /**
   * Makes people what the configuration says, and returns how many things that changed: the same configuration again changes nothing.
   * Agents whom it does not name any more are deactivated, and their tokens revoked.
   */
  async configure(section: PeopleConfiguration): Promise<number> {
    return this.log.transaction('people', async (tx) => {
      // Two at once would each deactivate the other's agents.
      await tx.query('LOCK TABLE people.agent IN SHARE ROW EXCLUSIVE MODE');
      const [named] = await tx.query<{ changed: number }>(SAVE_NAMES, [section.skills, JSON.stringify(section.teams)]);
      const changed = await tx.query<{ profile: AgentProfile }>(SAVE_AGENTS, [
        JSON.stringify(agentProfiles(section).map((profile, index) => ({ agent_id: profile.agentId, profile, roles: section.agents[index]!.roles }))),
      ]);
      await tx.query(`INSERT INTO people.presence (agent_id) SELECT agent_id FROM people.agent ON CONFLICT DO NOTHING`);
      const deactivated = await tx.query<{ profile: AgentProfile }>(
        `UPDATE people.agent SET profile = profile || '{"active": false}' WHERE (profile->>'active')::boolean AND agent_id <> ALL($1::text[]) RETURNING profile`,
        [section.agents.map((agent) => agent.id)],
      );
      const occurredAt = (await tx.now()).toISOString();
      for (const { profile } of [...changed, ...deactivated]) tx.append(AgentChanged, profile.agentId, { ...profile, occurredAt });
      const gone = deactivated.map(({ profile }) => profile.agentId);
      const left = await tx.query<{ agent_id: string }>(
        `UPDATE people.presence SET presence = 'offline', lease_until = NULL WHERE agent_id = ANY($1::text[]) AND presence <> 'offline' RETURNING agent_id`,
        [gone],
      );
      for (const { agent_id: agentId } of left) {
        this.timers.cancel(tx, leaseTimer(agentId));
        tx.append(PresenceChanged, agentId, { agentId, presence: 'offline', cause: 'deactivated', occurredAt });
      }
      return named!.changed + changed.length + deactivated.length + (await this.configureTokens(tx, section, gone));
    });
  }

  private async configureTokens(tx: LogTransaction, section: PeopleConfiguration, deactivated: string[]): Promise<number> {
    const tokens = section.agents.flatMap(({ id, token, roles }) => {
      if (token === undefined) return [];
      const hash = sha256(token);
      return [{ token_id: derivedId(hash, 'token'), sha256: hash, subject: id, roles }];
    });
    const issued = await tx.query<TokenRow>(SAVE_TOKENS, [JSON.stringify(tokens)]);
    for (const row of issued) tx.append(TokenIssued, row.token_id, { tokenId: row.token_id, sha256: row.sha256, subject: row.subject, roles: row.roles });
    const revoked = await tx.query<{ token_id: string }>(
      `UPDATE people.token SET revoked_at = now()
       WHERE revoked_at IS NULL AND ((configured AND token_id <> ALL($1::uuid[])) OR subject = ANY($2::text[])) RETURNING token_id`,
      [tokens.map((token) => token.token_id), deactivated],
    );
    await this.appendRevoked(tx, revoked);
    return issued.length + revoked.length;
  }

  /**
   * Says that the agent is here for another `leaseMs`; with `presence`, that it is now this. Only a changed presence is an event: a heartbeat moves the lease.
   * Who is offline stays offline until they say otherwise. Throws when there is no such agent, or it is deactivated.
   */
  async setPresence(agentId: string, presence: Presence | undefined, leaseMs: number): Promise<{ presence: Presence; leaseUntil: Date | null }> {
    return this.log.transaction('people', async (tx) => {
      const now = await tx.now();
      // In whole milliseconds, as the timer has it: or the timer could fire before a lease with microseconds has run out.
      const until = new Date(now.getTime() + leaseMs);
      const [row] = await tx.query<{ before: Presence; presence: Presence; lease_until: Date | null }>(
        `WITH old AS (
           SELECT p.presence AS before, coalesce($2, p.presence) AS after FROM people.presence p JOIN people.agent a USING (agent_id)
           WHERE p.agent_id = $1 AND (a.profile->>'active')::boolean FOR UPDATE OF p)
         UPDATE people.presence p SET presence = old.after, lease_until = CASE WHEN old.after <> 'offline' THEN $3::timestamptz END
         FROM old WHERE p.agent_id = $1 RETURNING old.before, p.presence, p.lease_until`,
        [agentId, presence ?? null, until],
      );
      if (!row) throw notFound('agent', agentId);
      if (row.lease_until)
        this.timers.arm(tx, { name: leaseTimer(agentId), dueAt: row.lease_until, definition: PresenceLapsed, key: agentId, data: { agentId } });
      else this.timers.cancel(tx, leaseTimer(agentId));
      if (row.before !== row.presence) {
        tx.append(PresenceChanged, agentId, { agentId, presence: row.presence, cause: 'agent', occurredAt: now.toISOString() });
      }
      return { presence: row.presence, leaseUntil: row.lease_until };
    });
  }

  /** A timer says that leases ran out; the newest heartbeat decides. */
  async endLapsed(tx: LogTransaction, events: PresenceLapsed[]): Promise<void> {
    const lapsed = await tx.query<{ agent_id: string }>(
      `UPDATE people.presence SET presence = 'offline', lease_until = NULL WHERE agent_id = ANY($1::text[]) AND lease_until <= now() RETURNING agent_id`,
      [events.map(({ data }) => data.agentId)],
    );
    await this.appendPresence(tx, lapsed, events, 'offline', 'lease_expired');
  }

  /** Who let an offer ring out gets no more work until they say that they are back. */
  async setMissedAway(tx: LogTransaction, events: TicketRequeued[]): Promise<void> {
    if (events.length === 0) return;
    const missed = await tx.query<{ agent_id: string }>(
      `UPDATE people.presence SET presence = 'away' WHERE agent_id = ANY($1::text[]) AND presence = 'available' RETURNING agent_id`,
      [events.map(({ data }) => data.agentId)],
    );
    await this.appendPresence(tx, missed, events, 'away', 'missed_offer');
  }

  private async appendPresence(
    tx: LogTransaction,
    rows: { agent_id: string }[],
    causes: Event<string, { agentId?: string | undefined }>[],
    presence: Presence,
    cause: 'lease_expired' | 'missed_offer',
  ): Promise<void> {
    const occurredAt = (await tx.now()).toISOString();
    for (const { agent_id: agentId } of rows) {
      const causedBy = causes.find(({ data }) => data.agentId === agentId);
      tx.append(PresenceChanged, agentId, { agentId, presence, cause, occurredAt }, causedBy);
    }
  }

  /** Makes a token of 256 random bits; only its SHA-256 is kept. */
  async issueToken(subject: string, roles: Role[], expiresAt: Date | undefined): Promise<IssuedToken> {
    const token = `tl_${randomBytes(32).toString('base64url')}`;
    const tokenId = newId();
    await this.log.transaction('people', async (tx) => {
      if (expiresAt && expiresAt <= (await tx.now())) throw invalid('token.expired', 'expiresAt must be in the future');
      await tx.query(`INSERT INTO people.token (token_id, sha256, subject, roles, configured, expires_at) VALUES ($1, $2, $3, $4, false, $5)`, [
        tokenId,
        sha256(token),
        subject,
        JSON.stringify(roles),
        expiresAt ?? null,
      ]);
      tx.append(TokenIssued, tokenId, { tokenId, sha256: sha256(token), subject, roles, ...(expiresAt && { expiresAt: expiresAt.toISOString() }) });
    });
    return { tokenId, token };
  }

  /** Revokes a token; once more does no harm. Throws when there is none. */
  async revokeToken(tokenId: string): Promise<void> {
    await this.log.transaction('people', async (tx) => {
      const [row] = await tx.query<{ revoked_at: Date | null }>(`SELECT revoked_at FROM people.token WHERE token_id = $1 FOR UPDATE`, [tokenId]);
      if (!row) throw notFound('token', tokenId);
      if (row.revoked_at) return;
      await tx.query(`UPDATE people.token SET revoked_at = now() WHERE token_id = $1`, [tokenId]);
      await this.appendRevoked(tx, [{ token_id: tokenId }]);
    });
  }

  private async appendRevoked(tx: LogTransaction, rows: { token_id: string }[]): Promise<void> {
    const revokedAt = (await tx.now()).toISOString();
    for (const { token_id: tokenId } of rows) tx.append(TokenRevoked, tokenId, { tokenId, revokedAt });
  }
}

const leaseTimer = (agentId: string): string => `presence:${agentId}`;

const SAVE_NAMES = `
WITH skill_gone AS (DELETE FROM people.skill WHERE name <> ALL($1::text[]) RETURNING 1),
skill_new AS (INSERT INTO people.skill SELECT unnest($1::text[]) ON CONFLICT DO NOTHING RETURNING 1),
team AS (SELECT * FROM jsonb_to_recordset($2::jsonb) AS t(name text, pool text, lead text)),
team_gone AS (DELETE FROM people.team WHERE name NOT IN (SELECT name FROM team) RETURNING 1),
team_new AS (
  INSERT INTO people.team AS t (name, pool, lead) SELECT name, pool, lead FROM team
  ON CONFLICT (name) DO UPDATE SET pool = excluded.pool, lead = excluded.lead WHERE (t.pool, t.lead) IS DISTINCT FROM (excluded.pool, excluded.lead) RETURNING 1)
SELECT ((SELECT count(*) FROM skill_gone) + (SELECT count(*) FROM skill_new) + (SELECT count(*) FROM team_gone) + (SELECT count(*) FROM team_new))::int AS changed`;

/** Returns the agents that are new or different. */
const SAVE_AGENTS = `
INSERT INTO people.agent AS a (agent_id, profile, roles)
SELECT agent_id, profile, roles FROM jsonb_to_recordset($1::jsonb) AS n(agent_id text, profile jsonb, roles jsonb)
ON CONFLICT (agent_id) DO UPDATE SET profile = excluded.profile, roles = excluded.roles
WHERE (a.profile, a.roles) IS DISTINCT FROM (excluded.profile, excluded.roles) RETURNING profile`;

/** Returns the tokens that are new, different, or come back. */
const SAVE_TOKENS = `
INSERT INTO people.token AS t (token_id, sha256, subject, roles, configured)
SELECT token_id, sha256, subject, roles, true FROM jsonb_to_recordset($1::jsonb) AS n(token_id uuid, sha256 text, subject text, roles jsonb)
ON CONFLICT (token_id) DO UPDATE SET subject = excluded.subject, roles = excluded.roles, revoked_at = NULL
WHERE t.revoked_at IS NOT NULL OR (t.subject, t.roles) IS DISTINCT FROM (excluded.subject, excluded.roles) RETURNING token_id, sha256, subject, roles`;
