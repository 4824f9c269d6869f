import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateRouting1763769700200 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
CREATE SCHEMA IF NOT EXISTS routing;

-- Triage -----------------------------------------------------------------------------------------

CREATE TABLE routing.configuration (
  version int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, section jsonb NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());

-- What was last said of a ticket to its pool, and of an agent to theirs. A ticket may be escalated before it is heard of, because the two travel on
-- topics of their own: then there is nothing queued yet, and its escalations wait in the row.
CREATE TABLE routing.triaged_ticket (
  ticket_id uuid PRIMARY KEY, queued jsonb, is_open boolean NOT NULL DEFAULT false, is_warned boolean NOT NULL DEFAULT false,
  changed_at timestamptz NOT NULL DEFAULT now(), early_escalations jsonb NOT NULL DEFAULT '[]');
-- Both tables grow in the order of their times, and old rows are looked for by them: a block range is all the index that takes.
CREATE INDEX triaged_ticket_changed ON routing.triaged_ticket USING brin (changed_at);
CREATE TABLE routing.known_agent (agent_id text PRIMARY KEY, profile jsonb NOT NULL, presence text NOT NULL);

-- Matching: the rows behind the matchers' memory, written by the one process that matches the pool ---

-- Its row is locked and moved by every batch: who finds another version than they left has to read the pool again. Without rules it goes by the default.
CREATE TABLE routing.pool (pool text PRIMARY KEY, version bigint NOT NULL, rules jsonb) WITH (fillfactor = 50);

-- A ticket in the hands of a pool: waiting (no agent), offered (an agent and an offer), or assigned (an agent).
CREATE TABLE routing.work (
  pool text, ticket_id uuid, state jsonb NOT NULL,
  queue text GENERATED ALWAYS AS (state->>'queue') STORED,
  enqueued_ms bigint GENERATED ALWAYS AS ((state->'enqueuedAtMs')::bigint) STORED,
  agent_id text GENERATED ALWAYS AS (coalesce(state->>'assigneeId', state->'offer'->>'agentId')) STORED,
  is_offered boolean GENERATED ALWAYS AS (state ? 'offer') STORED,
  PRIMARY KEY (pool, ticket_id));
CREATE INDEX work_agent ON routing.work (agent_id) WHERE agent_id IS NOT NULL;

CREATE TABLE routing.agent (pool text, agent_id text, state jsonb NOT NULL, PRIMARY KEY (pool, agent_id));

-- Every offer ever made, and why to this agent.
CREATE TABLE routing.offer (
  offer_id uuid PRIMARY KEY, ticket_id uuid NOT NULL, agent_id text NOT NULL, pool text NOT NULL, queue text NOT NULL, tier int NOT NULL, waited_ms bigint NOT NULL,
  offered_at timestamptz NOT NULL, expires_at timestamptz NOT NULL, decision jsonb NOT NULL, outcome text, ended_at timestamptz, CHECK ((outcome IS NULL) = (ended_at IS NULL)));
CREATE INDEX offer_ticket ON routing.offer (ticket_id, offered_at);
CREATE INDEX offer_offered ON routing.offer USING brin (offered_at);
CREATE INDEX offer_open ON routing.offer (agent_id) WHERE outcome IS NULL;
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP SCHEMA routing CASCADE`);
  }
}
