import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreatePeople1763769700100 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
CREATE SCHEMA IF NOT EXISTS people;

CREATE TABLE people.skill (name text PRIMARY KEY);

CREATE TABLE people.team (name text PRIMARY KEY, pool text NOT NULL, lead text);

-- Agents are deactivated, never deleted: what they did names them.
CREATE TABLE people.agent (agent_id text PRIMARY KEY, profile jsonb NOT NULL, roles jsonb NOT NULL);

-- Apart from the agent, because heartbeats move the lease all the time.
CREATE TABLE people.presence (
  agent_id text PRIMARY KEY REFERENCES people.agent, presence text NOT NULL DEFAULT 'offline' CHECK (presence IN ('available', 'away', 'offline')),
  lease_until timestamptz, CHECK ((presence = 'offline') = (lease_until IS NULL))) WITH (fillfactor = 50);

CREATE TABLE people.token (
  token_id uuid PRIMARY KEY, sha256 text NOT NULL UNIQUE, subject text NOT NULL, roles jsonb NOT NULL, configured boolean NOT NULL,
  issued_at timestamptz NOT NULL DEFAULT now(), expires_at timestamptz, revoked_at timestamptz);
CREATE INDEX token_subject ON people.token (subject);
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP SCHEMA people CASCADE`);
  }
}
