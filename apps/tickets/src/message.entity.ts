import type { Actor, AttachmentRef, Contact, Party } from '@tierline/events';
import type { LogTransaction } from '@tierline/log';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** How far a reply has come: asked of the channel, taken by the provider, refused, or nobody can know. */
export type Delivery = 'requested' | 'sent' | 'failed' | 'unknown';

/** Everything said in a ticket, in full: what customers wrote, what agents answered and noted. A contact's message has the id of the contact. */
@Entity({ schema: 'tickets', name: 'message' })
export class Message {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;
  /** None for a delivery, an edit or a reaction that belongs to no ticket we know: kept all the same. */
  @Column({ name: 'ticket_id', type: 'uuid', nullable: true })
  ticketId!: string | null;
  @Column({ type: 'text' })
  kind!: Contact['kind'];
  @Column({ type: 'text' })
  channel!: string;
  @Column({ name: 'account_ref', type: 'text' })
  accountRef!: string;
  /** Unique within the account; none for what agents write. */
  @Column({ name: 'dedupe_key', type: 'text', nullable: true })
  dedupeKey!: string | null;
  @Column({ name: 'conversation_key', type: 'text' })
  conversationKey!: string;
  @Column({ name: 'by_kind', type: 'text' })
  byKind!: Actor['kind'];
  @Column({ name: 'by_id', type: 'text', nullable: true })
  byId!: string | null;
  /** False for a note among agents. */
  @Column({ type: 'boolean' })
  public!: boolean;
  /** Written by a machine. */
  @Column({ type: 'boolean' })
  automatic!: boolean;
  @Column({ type: 'json', nullable: true })
  sender!: Party | null;
  /** Where an answer should go, when not to the sender. */
  @Column({ name: 'reply_to', type: 'json', nullable: true })
  replyTo!: Party | null;
  /** What the channel says about who the sender is. */
  @Column({ type: 'text', nullable: true })
  verdict!: Contact['auth']['verdict'] | null;
  @Column({ type: 'text', nullable: true })
  subject!: string | null;
  @Column({ type: 'text', nullable: true })
  text!: string | null;
  /** The text without quoted history and signature, where it differs. */
  @Column({ name: 'text_stripped', type: 'text', nullable: true })
  textStripped!: string | null;
  @Column({ type: 'text', nullable: true })
  html!: string | null;
  @Column({ type: 'json', nullable: true })
  attachments!: AttachmentRef[] | null;
  @Column({ type: 'json', nullable: true })
  call!: Contact['call'] | null;
  /** The message that this one is a later state of. */
  @Column({ type: 'uuid', nullable: true })
  revises!: string | null;
  /** Which of its revisions `call` shows. */
  @Column({ type: 'int' })
  revision!: number;
  /** The payload as the provider sent it, in the blob store. */
  @Column({ name: 'raw_ref', type: 'text', nullable: true })
  rawRef!: string | null;
  @Column({ name: 'occurred_at', type: 'timestamptz' })
  occurredAt!: Date;
  @Column({ type: 'timestamptz' })
  at!: Date;
  @Column({ type: 'text', nullable: true })
  delivery!: Delivery | null;
  @Column({ name: 'delivery_detail', type: 'text', nullable: true })
  deliveryDetail!: string | null;
}

/** What a channel fills in only when there is something. */
type Optional = 'textStripped' | 'html' | 'attachments' | 'call' | 'revises' | 'sender' | 'replyTo' | 'verdict' | 'rawRef' | 'dedupeKey' | 'delivery';
export type NewMessage = Omit<Message, Optional | 'deliveryDetail'> & Partial<Pick<Message, Optional>>;

/** Writes messages, in this order. Fails as a whole when one is there already: whoever tries again finds it before writing. */
export async function insertMessages(tx: LogTransaction, messages: readonly NewMessage[]): Promise<void> {
  if (messages.length > 0) await tx.query(INSERT, [JSON.stringify(messages)]);
}

// One JSON parameter: for rows of this width it costs both sides less than an array for each column.
// The columns are json, not jsonb: it takes every string that JSON can write, and costs nothing to store.
const INSERT = `
INSERT INTO tickets.message (id, ticket_id, kind, channel, account_ref, dedupe_key, conversation_key, by_kind, by_id, public, automatic, sender, reply_to, verdict,
  subject, text, text_stripped, html, attachments, call, revises, revision, raw_ref, occurred_at, at, delivery)
SELECT * FROM json_to_recordset($1::json) AS m(id uuid, "ticketId" uuid, kind text, channel text, "accountRef" text, "dedupeKey" text, "conversationKey" text, "byKind" text,
  "byId" text, public boolean, automatic boolean, sender json, "replyTo" json, verdict text, subject text, text text, "textStripped" text, html text, attachments json,
  call json, revises uuid, revision int, "rawRef" text, "occurredAt" timestamptz, at timestamptz, delivery text)`;
