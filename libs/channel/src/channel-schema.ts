import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The tables of one channel service: what came in, what goes out, and the accounts it comes and goes through. In the schema of the service. */
export function channelMigrations(service: string): (new () => MigrationInterface)[] {
  class CreateChannel implements MigrationInterface {
    readonly name = `CreateChannel_${service}_1763769600010`;
    async up(runner: QueryRunner): Promise<void> {
      await runner.query(createChannelSql(service));
    }
    async down(runner: QueryRunner): Promise<void> {
      await runner.query(`DROP TABLE "${service}".inbound, "${service}".outbound, "${service}".account`);
    }
  }
  return [CreateChannel];
}

const createChannelSql = (service: string): string => `
CREATE SCHEMA IF NOT EXISTS "${service}";

-- Everything that ever arrived, as it arrived. Small payloads are here, large ones in the blob store under raw_ref.
CREATE TABLE "${service}".inbound (
  contact_id uuid PRIMARY KEY, seq bigint GENERATED ALWAYS AS IDENTITY, account_ref text NOT NULL, dedupe_key text NOT NULL,
  media_type text NOT NULL, raw bytea, raw_ref text NOT NULL, sha256 text NOT NULL, bytes int NOT NULL, meta text NOT NULL,
  state text NOT NULL CHECK (state IN ('received', 'normalized', 'ignored')), attempts smallint NOT NULL DEFAULT 0, received_at timestamptz NOT NULL,
  UNIQUE (account_ref, dedupe_key));
CREATE INDEX inbound_received ON "${service}".inbound (seq) WHERE state = 'received';

CREATE TABLE "${service}".outbound (
  message_id uuid PRIMARY KEY, seq bigint GENERATED ALWAYS AS IDENTITY, conversation_key text NOT NULL, requested_by uuid NOT NULL, message text NOT NULL, prepared text,
  state text NOT NULL CHECK (state IN ('queued', 'sending', 'sent', 'failed', 'unknown')), attempts int NOT NULL DEFAULT 0,
  due_at timestamptz NOT NULL DEFAULT now(), sender uuid, external_id text, reason text, requested_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX outbound_due ON "${service}".outbound (seq) WHERE state = 'queued';
CREATE INDEX outbound_open ON "${service}".outbound (conversation_key, seq) WHERE state IN ('queued', 'sending');

CREATE TABLE "${service}".account (ref text PRIMARY KEY, sealed bytea NOT NULL, changed_at timestamptz NOT NULL DEFAULT now());
`;
