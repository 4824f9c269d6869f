import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateEscalation implements MigrationInterface {
  readonly name = 'CreateEscalation1763769700600';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
CREATE SCHEMA escalation;

-- What is in force, in one row: the policies in order, each with its version, and the tiers.
CREATE TABLE escalation.configuration (
  is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only), policies jsonb NOT NULL DEFAULT '[]', tiers jsonb NOT NULL DEFAULT '[]');
INSERT INTO escalation.configuration DEFAULT VALUES;

-- Never changed, never removed: clocks keep the version they run by.
CREATE TABLE escalation.policy_version (
  name text, version int, policy jsonb NOT NULL, made_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (name, version));

CREATE TABLE escalation.ticket (
  ticket_id uuid PRIMARY KEY, status text NOT NULL, priority text NOT NULL, channel text NOT NULL, brand text, labels jsonb NOT NULL,
  started_at timestamptz NOT NULL, responded_at timestamptz, tier smallint NOT NULL, tier_path jsonb NOT NULL) WITH (fillfactor = 90);

CREATE TABLE escalation.clock (
  ticket_id uuid, metric text, clock_id uuid NOT NULL, policy text NOT NULL, policy_version int NOT NULL, started_at timestamptz NOT NULL,
  pauses jsonb NOT NULL, stopped_at timestamptz, cancelled text, warned boolean NOT NULL, breached_at timestamptz, epoch int NOT NULL,
  PRIMARY KEY (ticket_id, metric)) WITH (fillfactor = 90);

CREATE TABLE escalation.escalation (
  escalation_id uuid PRIMARY KEY, ticket_id uuid NOT NULL, kind text NOT NULL, from_tier smallint NOT NULL, to_tier smallint NOT NULL, tier_path jsonb NOT NULL,
  team text, owner_id text, reason_code text NOT NULL, reason_text text NOT NULL, clock_id uuid, clock_metric text, clock_epoch int,
  priority text NOT NULL, raised_by jsonb NOT NULL, raised_at timestamptz NOT NULL, request_key text,
  state text NOT NULL, outcome text, closed_by jsonb, closed_at timestamptz);
-- A breach raises one, whatever is delivered twice; so does a request.
CREATE UNIQUE INDEX escalation_breach ON escalation.escalation (clock_id, clock_epoch);
CREATE UNIQUE INDEX escalation_request ON escalation.escalation (ticket_id, request_key);
CREATE INDEX escalation_ticket ON escalation.escalation (ticket_id);
CREATE INDEX escalation_owner ON escalation.escalation (owner_id, escalation_id);

-- Who has a ticket. Apart from the ticket, because the two are heard of on topics of their own, in any order.
CREATE TABLE escalation.assignment (ticket_id uuid PRIMARY KEY, agent_id text NOT NULL) WITH (fillfactor = 90);

CREATE TABLE escalation.agent (agent_id text PRIMARY KEY, team text NOT NULL, manager_id text, active boolean NOT NULL);
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP SCHEMA escalation CASCADE');
  }
}
