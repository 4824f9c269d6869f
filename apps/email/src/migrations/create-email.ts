import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateEmail implements MigrationInterface {
  readonly name = 'CreateEmail_1763769700200';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SQL);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE email.thread, email.imap_cursor, email.imap_message, email.automatic_answer`);
  }
}

const SQL = `
-- Which conversation a message id of a mailbox belongs to: of a mail that came, of one that another mail names, of one that we sent, or a mark in a subject.
CREATE TABLE email.thread (
  account_ref text, message_id text, conversation_key text NOT NULL, kind text NOT NULL CHECK (kind IN ('mail', 'mention', 'sent', 'token')),
  sender text, subject text, ticket_id uuid, seq bigint GENERATED ALWAYS AS IDENTITY, PRIMARY KEY (account_ref, message_id)) WITH (fillfactor = 90);
CREATE INDEX thread_conversation ON email.thread (conversation_key, seq) WHERE kind IN ('mail', 'sent');
CREATE INDEX thread_ticket ON email.thread (account_ref, ticket_id, seq) WHERE ticket_id IS NOT NULL;

-- How far a folder has been read. A folder that gets another UIDVALIDITY is another folder.
CREATE TABLE email.imap_cursor (
  account_ref text, folder text, uidvalidity bigint, last_uid bigint NOT NULL,
  -- Mail up to here was there before us: taken only if it is not older than backlog_since.
  backlog_until bigint NOT NULL, backlog_since date, newest timestamptz, seen_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (account_ref, folder, uidvalidity)) WITH (fillfactor = 50);

-- What was taken of the last days, for the sweep that looks for gaps. Absent contact: gone before it could be fetched.
CREATE TABLE email.imap_message (
  account_ref text, folder text, uidvalidity bigint, uid bigint, contact_id uuid, duplicate boolean NOT NULL DEFAULT false, taken_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (account_ref, folder, uidvalidity, uid));
CREATE INDEX imap_message_age ON email.imap_message (taken_at);

-- Automatic answers of the last hour, so that two programs cannot talk for ever.
CREATE TABLE email.automatic_answer (recipient text NOT NULL, answered_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX automatic_answer_recipient ON email.automatic_answer (recipient, answered_at);
CREATE INDEX automatic_answer_age ON email.automatic_answer (answered_at);
`;
