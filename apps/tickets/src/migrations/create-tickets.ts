import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * No foreign keys: all of these rows are written in sets, in the transaction of the event they follow from, and a look-up for each
 * row would be a good part of what a contact costs.
 */
export class CreateTickets implements MigrationInterface {
  readonly name = 'CreateTickets_1763769700000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SQL);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP SCHEMA tickets CASCADE');
  }
}

const SQL = `
CREATE SCHEMA IF NOT EXISTS tickets;

CREATE TABLE tickets.customer (id uuid PRIMARY KEY, name text, made_at timestamptz NOT NULL);

CREATE TABLE tickets.identity (
  type text, normalized text, customer_id uuid NOT NULL, value text NOT NULL, verified boolean NOT NULL, PRIMARY KEY (type, normalized));

CREATE SEQUENCE tickets.ticket_number;
CREATE TABLE tickets.ticket (
  id uuid PRIMARY KEY, number bigint NOT NULL UNIQUE,
  status text NOT NULL CHECK (status IN ('new', 'open', 'pending', 'on_hold', 'solved', 'closed')),
  priority text NOT NULL CHECK (priority IN ('urgent', 'high', 'normal', 'low')),
  labels text[] NOT NULL, tier smallint NOT NULL, channel text NOT NULL, account_ref text NOT NULL, brand text, customer_id uuid NOT NULL, participants uuid[] NOT NULL,
  subject text NOT NULL, language text, silent boolean NOT NULL, assignee text, follow_up_of uuid, related_to uuid, merged_into uuid,
  opened_at timestamptz NOT NULL, changed_at timestamptz NOT NULL, solved_at timestamptz, closed_at timestamptz) WITH (fillfactor = 85);
CREATE INDEX ticket_by_status ON tickets.ticket (status, number);
CREATE INDEX ticket_by_customer ON tickets.ticket (customer_id, number);
CREATE INDEX ticket_by_assignee ON tickets.ticket (assignee, number) WHERE assignee IS NOT NULL;
CREATE INDEX ticket_merged ON tickets.ticket (merged_into) WHERE merged_into IS NOT NULL;

-- Which ticket a customer's part of a conversation belongs to: a stranger who writes into somebody's conversation has a ticket of their own.
CREATE TABLE tickets.conversation (key text, customer_id uuid, ticket_id uuid NOT NULL, PRIMARY KEY (key, customer_id));

-- Gives messages and entries of one instant their order. They come from one transaction, so each connection may have numbers in stock.
CREATE SEQUENCE tickets.timeline_seq CACHE 1000;
CREATE TABLE tickets.message (
  id uuid PRIMARY KEY, seq bigint NOT NULL DEFAULT nextval('tickets.timeline_seq'), ticket_id uuid, kind text NOT NULL, channel text NOT NULL, account_ref text NOT NULL,
  dedupe_key text, conversation_key text NOT NULL, by_kind text NOT NULL, by_id text, public boolean NOT NULL, automatic boolean NOT NULL, sender json, reply_to json,
  verdict text, subject text, text text, text_stripped text, html text, attachments json, call json, revises uuid, revision int NOT NULL, raw_ref text,
  occurred_at timestamptz NOT NULL, at timestamptz NOT NULL, delivery text, delivery_detail text);
CREATE UNIQUE INDEX message_once ON tickets.message (account_ref, dedupe_key);
CREATE INDEX message_by_ticket ON tickets.message (ticket_id, at, seq);

CREATE TABLE tickets.timeline_entry (
  ticket_id uuid, at timestamptz, seq bigint DEFAULT nextval('tickets.timeline_seq'), type text NOT NULL, data json NOT NULL, PRIMARY KEY (ticket_id, at, seq));

CREATE TABLE tickets.configuration (
  is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only), reopen_window_ms bigint NOT NULL, close_after_ms bigint NOT NULL);

-- Answers to requests that carried an Idempotency-Key.
CREATE TABLE tickets.answered_request (
  subject text, key text, fingerprint text NOT NULL, answer json, at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (subject, key));
CREATE INDEX answered_request_by_age ON tickets.answered_request (at);
`;
