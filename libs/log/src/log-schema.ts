import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The tables of one log: `schema` is the name of this writer ("source"). A process that runs every service has one log; a service on its
 * own has its own, so that no two processes wait for each other's head rows and each relays what it wrote.
 */
export function logMigrations(schema: string): (new () => MigrationInterface)[] {
  class CreateLog implements MigrationInterface {
    readonly name = `CreateLog_${schema}_1763769600000`;
    async up(runner: QueryRunner): Promise<void> {
      await runner.query(createLogSql(schema));
    }
    async down(runner: QueryRunner): Promise<void> {
      await runner.query(`DROP SCHEMA "${schema}" CASCADE`);
    }
  }
  return [CreateLog];
}

const createLogSql = (schema: string): string => `
CREATE SCHEMA IF NOT EXISTS "${schema}";
SET LOCAL search_path TO "${schema}";

-- Positions are handed out from here under the row's lock, inside the writer's transaction: dense, and in commit order.
CREATE TABLE log_head (topic text, bucket smallint, next bigint NOT NULL DEFAULT 1, PRIMARY KEY (topic, bucket)) WITH (fillfactor = 50);

CREATE TABLE event_log (
  topic text, bucket smallint, pos bigint, event_id uuid NOT NULL, key text NOT NULL, type text NOT NULL,
  payload text NOT NULL, appended_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (topic, bucket, pos));

-- How far a group has come with what one source wrote ('kafka': with a partition of Kafka, as its next offset). Moved in the transaction of the group's effects.
CREATE TABLE consumer_position (
  grp text, source text, topic text, bucket smallint, pos bigint NOT NULL DEFAULT 0, moved_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (grp, source, topic, bucket)) WITH (fillfactor = 50);

-- Events that a group could not handle, and the later events of their keys, in order of seq.
CREATE TABLE retry_event (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, grp text NOT NULL, source text NOT NULL, topic text NOT NULL, bucket smallint NOT NULL, pos bigint NOT NULL,
  key text NOT NULL, type text NOT NULL, payload text NOT NULL, state text NOT NULL CHECK (state IN ('waiting', 'parked')),
  attempts int NOT NULL DEFAULT 0, due_at timestamptz NOT NULL DEFAULT now(), error_code text, error_message text,
  blocks_key boolean NOT NULL DEFAULT true, since timestamptz NOT NULL DEFAULT now(),
  UNIQUE (grp, source, topic, bucket, pos));
CREATE INDEX retry_event_of_key ON retry_event (grp, topic, key, seq) WHERE blocks_key;
-- What blocks no key waits only after an operator told it to go again.
CREATE INDEX retry_event_told ON retry_event (grp) WHERE state = 'waiting' AND NOT blocks_key;

-- What an operator did with parked events, and what they were before.
CREATE TABLE parked_audit (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(), actor text NOT NULL, action text NOT NULL,
  grp text NOT NULL, topic text, key text, type text, payload text);

CREATE TABLE relay_position (topic text, bucket smallint, pos bigint NOT NULL DEFAULT 0, PRIMARY KEY (topic, bucket)) WITH (fillfactor = 50);

CREATE TABLE lease (
  name text PRIMARY KEY, owner uuid NOT NULL, until timestamptz NOT NULL, backend_pid int NOT NULL, backend_start timestamptz NOT NULL);

-- TypeORM notes the migration in its own table, in this same transaction.
SET LOCAL search_path TO DEFAULT;
`;
