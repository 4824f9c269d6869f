import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreatePortal1763769700801 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
CREATE TABLE portal.upload (
  upload_id uuid PRIMARY KEY, client text NOT NULL, filename text NOT NULL, media_type text NOT NULL, ref text NOT NULL, sha256 text NOT NULL, bytes int NOT NULL,
  uploaded_at timestamptz NOT NULL DEFAULT now());

-- Which ticket a contact belongs to, as far as the portal has heard.
CREATE TABLE portal.followed (contact_id uuid PRIMARY KEY, ticket_id uuid NOT NULL);

-- Tickets that have contacts of the portal. The number is unknown of one that was opened through another channel.
CREATE TABLE portal.ticket (ticket_id uuid PRIMARY KEY, number int, status text, merged_into uuid);

-- What our people answered.
CREATE TABLE portal.message (
  message_id uuid PRIMARY KEY, seq bigint GENERATED ALWAYS AS IDENTITY, ticket_id uuid NOT NULL, kind text NOT NULL, subject text, text text NOT NULL,
  attachments jsonb NOT NULL, sent_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX message_of_ticket ON portal.message (ticket_id, seq);
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE portal.upload, portal.followed, portal.ticket, portal.message`);
  }
}
