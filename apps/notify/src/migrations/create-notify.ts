import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateNotify implements MigrationInterface {
  readonly name = 'CreateNotify1763769700700';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE SCHEMA notify;
      CREATE TABLE notify.configuration (singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton), value jsonb NOT NULL);
      CREATE TABLE notify.person (agent_id text PRIMARY KEY, email text, manager_id text, active boolean NOT NULL);
      -- Of a ticket only what a notice needs. It may be assigned before it is heard of: the two travel on topics of their own.
      CREATE TABLE notify.ticket (ticket_id uuid PRIMARY KEY, number int, subject text, assignee_id text) WITH (fillfactor = 90);
      -- The open ones that somebody owns.
      CREATE TABLE notify.escalation (escalation_id uuid PRIMARY KEY, ticket_id uuid NOT NULL, owner_id text NOT NULL);
      CREATE INDEX escalation_of_ticket ON notify.escalation (ticket_id);
      CREATE TABLE notify.notice (
        notice_id uuid PRIMARY KEY, ticket_id uuid NOT NULL, to_agent_id text NOT NULL, told_as text NOT NULL, about text NOT NULL, text text NOT NULL,
        sent_at timestamptz NOT NULL, read_at timestamptz);
      CREATE INDEX notice_of_agent ON notify.notice (to_agent_id, sent_at DESC, notice_id DESC);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP SCHEMA notify CASCADE');
  }
}
