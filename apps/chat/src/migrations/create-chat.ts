import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateChat1763769700802 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
-- From its first message on. The row's lock hands out the sequence numbers, so that they become visible in order.
CREATE TABLE chat.conversation (conversation_id uuid PRIMARY KEY, last_seq int NOT NULL) WITH (fillfactor = 50);

CREATE TABLE chat.message (
  conversation_id uuid, seq int, message_id uuid NOT NULL UNIQUE, cid text, author text NOT NULL CHECK (author IN ('visitor', 'agent', 'system')),
  text text NOT NULL, attachments jsonb NOT NULL, at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (conversation_id, seq));
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE chat.conversation, chat.message`);
  }
}
