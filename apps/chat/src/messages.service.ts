import { Injectable } from '@nestjs/common';
import { storable, type Receipt } from '@tierline/channel';
import { MessageFailed, MessageSent, type AttachmentRef, type MessageRequested } from '@tierline/events';
import { EventLog, type LogTransaction } from '@tierline/log';
import { conversationOf, type SaidMeta } from './chat-contact.ts';
import type { ChatMessage } from './frames.ts';

type NewMessage = Omit<ChatMessage, 'seq' | 'at'>;

interface Row extends Omit<ChatMessage, 'cid' | 'at'> {
  cid: string | null;
  at: Date;
}

/** The messages of conversations, numbered in the order in which everybody sees them. */
@Injectable()
export class MessagesService {
  private readonly listeners = new Set<(kept: readonly ChatMessage[]) => void>();
  private readonly seqs = new WeakMap<Receipt, number>();

  constructor(private readonly log: EventLog) {}

  /** Calls `listener` with what this process has committed; what other processes commit is found by reading. */
  onKept(listener: (kept: readonly ChatMessage[]) => void): void {
    this.listeners.add(listener);
  }

  /** Numbers what visitors said, in the transaction that keeps it. One function for all callers, so that what comes together is numbered together. */
  readonly number = async (tx: LogTransaction, received: Receipt[]): Promise<void> => {
    const fresh = received.filter(({ duplicate }) => !duplicate);
    const numbers = await this.keep(
      tx,
      fresh.map(({ contactId, contact, item }) => {
        const { conversation, cid } = item.meta as unknown as SaidMeta;
        return { conversation, id: contactId, cid, from: 'visitor', text: contact?.text ?? '', attachments: contact?.attachments ?? [] };
      }),
    );
    const repeated = received.flatMap(({ contactId }) => (numbers.has(contactId) ? [] : [contactId]));
    if (repeated.length > 0) {
      const rows = await tx.query<{ id: string; seq: number }>('SELECT message_id AS id, seq FROM chat.message WHERE message_id = ANY($1::uuid[])', [repeated]);
      for (const { id, seq } of rows) numbers.set(id, seq);
    }
    for (const receipt of received) this.seqs.set(receipt, numbers.get(receipt.contactId)!);
  };

  /** The number that `number` gave the message of a receipt, now or when it came first. */
  seqOf(receipt: Receipt): number {
    return this.seqs.get(receipt)!;
  }

  /** Puts what our people say into the conversations: that is all the sending there is. */
  async say(events: readonly MessageRequested[], tx: LogTransaction): Promise<void> {
    const done = await this.known(
      tx,
      events.map(({ data }) => data.messageId),
    );
    const begun = await this.begun(
      tx,
      events.flatMap(({ data }) => conversationOf(data.conversationKey) ?? []),
    );
    const at = (await tx.now()).toISOString();
    const answers: NewMessage[] = [];
    for (const event of events) {
      const { messageId, ticketId, channel, accountRef, conversationKey, automatic, text, attachments } = event.data;
      if (done.has(messageId)) continue;
      done.add(messageId);
      const conversation = conversationOf(conversationKey);
      if (conversation !== undefined && begun.has(conversation)) {
        answers.push({ conversation, id: messageId, from: automatic ? 'system' : 'agent', ...storable({ text, attachments }) });
        tx.append(MessageSent, conversationKey, { messageId, ticketId, channel, accountRef, externalId: messageId, sentAt: at }, event);
      } else {
        const reason = `there is no conversation ${conversationKey}`;
        tx.append(MessageFailed, conversationKey, { messageId, ticketId, channel, accountRef, outcome: 'permanent', reason, failedAt: at }, event);
      }
    }
    await this.keep(tx, answers);
  }

  /** Where to read on in a conversation. A number that it has not come to is from before some loss of data: better everything again than something never. */
  async resume(conversation: string, since: number): Promise<number> {
    const [row] = await this.log.dataSource.query<{ last_seq: number }[]>('SELECT last_seq FROM chat.conversation WHERE conversation_id = $1', [conversation]);
    return since > (row?.last_seq ?? 0) ? 0 : since;
  }

  /** What comes in conversations after a number: for each of the cursors, `limit` messages at most. */
  async after(cursors: readonly { conversation: string; after: number }[], limit: number): Promise<ChatMessage[][]> {
    const found: ChatMessage[][] = cursors.map(() => []);
    const rows = await this.log.dataSource.query<(Row & { ordinal: string })[]>(
      `SELECT c.ordinal, m.* FROM unnest($1::uuid[], $2::int[]) WITH ORDINALITY AS c(conversation_id, after, ordinal) CROSS JOIN LATERAL (
         SELECT m.conversation_id AS conversation, seq, message_id AS id, cid, author AS "from", text, attachments, at FROM chat.message m
         WHERE m.conversation_id = c.conversation_id AND m.seq > c.after ORDER BY m.seq LIMIT $3) m ORDER BY c.ordinal, m.seq`,
      [cursors.map(({ conversation }) => conversation), cursors.map(({ after }) => after), limit],
    );
    for (const { ordinal, cid, at, ...message } of rows) {
      found[Number(ordinal) - 1]!.push({ ...message, ...(cid !== null && { cid }), at: at.toISOString() });
    }
    return found;
  }

  async attachment(conversation: string, messageId: string, attachmentId: string): Promise<AttachmentRef | undefined> {
    const [row] = await this.log.dataSource.query<{ attachments: AttachmentRef[] }[]>(
      'SELECT attachments FROM chat.message WHERE conversation_id = $1 AND message_id = $2',
      [conversation, messageId],
    );
    return row?.attachments.find(({ id }) => id === attachmentId);
  }

  private async known(tx: LogTransaction, ids: string[]): Promise<Set<string>> {
    const rows = await tx.query<{ id: string }>('SELECT message_id AS id FROM chat.message WHERE message_id = ANY($1::uuid[])', [ids]);
    return new Set(rows.map(({ id }) => id));
  }

  private async begun(tx: LogTransaction, conversations: string[]): Promise<Set<string>> {
    const rows = await tx.query<{ id: string }>('SELECT conversation_id AS id FROM chat.conversation WHERE conversation_id = ANY($1::uuid[])', [conversations]);
    return new Set(rows.map(({ id }) => id));
  }

  /** Writes new messages in the order given, and says their numbers. */
  private async keep(tx: LogTransaction, messages: readonly NewMessage[]): Promise<Map<string, number>> {
    if (messages.length === 0) return new Map();
    const rows = await tx.query<{ id: string; seq: number; at: Date }>(KEEP, [
      messages.map(({ conversation }) => conversation),
      messages.map(({ id }) => id),
      messages.map(({ cid }) => cid ?? null),
      messages.map(({ from }) => from),
      messages.map(({ text }) => text),
      messages.map(({ attachments }) => JSON.stringify(attachments)),
    ]);
    const written = new Map(rows.map(({ id, ...row }) => [id, row]));
    const kept = messages.map((message): ChatMessage => {
      const { seq, at } = written.get(message.id)!;
      return { ...message, seq, at: at.toISOString() };
    });
    tx.committed.push(() => {
      for (const listener of this.listeners) listener(kept);
    });
    return new Map(kept.map(({ id, seq }) => [id, seq]));
  }
}

/** Conversations are locked in one order, or two writers could wait for each other. */
const KEEP = `
WITH n AS (
  SELECT *, count(*) OVER c AS together, row_number() OVER (c ORDER BY ordinal) AS nth
  FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::jsonb[]) WITH ORDINALITY
    AS u(conversation_id, message_id, cid, author, text, attachments, ordinal)
  WINDOW c AS (PARTITION BY conversation_id)),
moved AS (
  INSERT INTO chat.conversation AS c (conversation_id, last_seq) SELECT conversation_id, count(*) FROM n GROUP BY conversation_id ORDER BY conversation_id
  ON CONFLICT (conversation_id) DO UPDATE SET last_seq = c.last_seq + excluded.last_seq RETURNING conversation_id, last_seq)
INSERT INTO chat.message (conversation_id, seq, message_id, cid, author, text, attachments)
SELECT conversation_id, last_seq - together + nth, message_id, cid, author, text, attachments FROM n JOIN moved USING (conversation_id)
RETURNING message_id AS id, seq, at`;
