import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateEscalation implements MigrationInterface {
  readonly name = 'CreateEscalation1763769700600';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
CREATE SCHEMA escalation;

-- Every configuration that ever was: the policies in order and the calendars, each with its own version, and the tiers. The highest is in force.
-- Never changed, never removed: a clock keeps the versions that it runs by, and a fold over old facts decides as it did then.
CREATE TABLE escalation.configuration (
  version int PRIMARY KEY, policies jsonb NOT NULL, calendars jsonb NOT NULL, tiers jsonb NOT NULL, made_at timestamptz NOT NULL DEFAULT now());

-- What has to be kept of a ticket, its clocks follow from it. Who has it matters to the clocks of some tickets only.
CREATE TABLE escalation.ticket (
  ticket_id uuid PRIMARY KEY, status text NOT NULL, tier smallint NOT NULL, heeds_assignment boolean NOT NULL, state json NOT NULL) WITH (fillfactor = 80);

-- What no longer fits into the row: the oldest facts of tickets that have many. Read when an event comes very late, or a due time is to be explained.
CREATE TABLE escalation.past_facts (ticket_id uuid, facts_before int, facts json NOT NULL, PRIMARY KEY (ticket_id, facts_before));

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
CREATE TABLE escalation.assignment (ticket_id uuid PRIMARY KEY, agent_id text, team text, assigned_at timestamptz) WITH (fillfactor = 90);

CREATE TABLE escalation.agent (agent_id text PRIMARY KEY, team text NOT NULL, manager_id text, active boolean NOT NULL);
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP SCHEMA escalation CASCADE');
  }
}
