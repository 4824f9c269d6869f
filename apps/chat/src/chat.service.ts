import { Injectable } from '@nestjs/common';
import { Intake, type Receipt } from '@tierline/channel';
import { MessageFailed, MessageSent, type MessageRequested } from '@tierline/events';
import { EventLog, type LogTransaction } from '@tierline/log';
import { conversationOf, toItem, type FrameMeta } from './chat-contact.ts';
import type { ChatMessage, MessageFrame } from './frames.ts';
import type { Session } from './session-token.ts';

/** Messages of one read: so many lie in memory for each visitor who catches up. */
export const PAGE = 50;

type NewMessage = Omit<ChatMessage, 'seq' | 'at'> & { site: string };

interface Row {
  conversation_id: string;
  seq: number;
  message_id: string;
  cid: string | null;
  author: ChatMessage['from'];
  text: string;
  at: Date;
}

/** The messages of conversations, in the order in which they became durable. */
@Injectable()
export class ChatService {
  private readonly listeners = new Set<(message: ChatMessage) => void>();

  constructor(
    private readonly log: EventLog,
    private readonly intake: Intake,
  ) {}

  /** Calls `listener` with each message that this process has kept, in order per conversation. Those of other processes are found by `lastSeqs`. */
  onKept(listener: (message: ChatMessage) => void): void {
    this.listeners.add(listener);
  }

  /** Keeps a visitor's messages, in order. Resolves when they are durable; with the sequence numbers of those that had been kept before. */
  async receive(frames: readonly MessageFrame[], session: Session, brand: string | undefined): Promise<{ cid: string; id: string; seq: number }[]> {
    const now = new Date();
    const receipts = await this.intake.receive(
      frames.map((frame) => toItem(frame, session, brand, now)),
      this.keepReceived,
    );
    const repeated = receipts.filter(({ duplicate }) => duplicate).map(({ contactId }) => contactId);
    if (repeated.length === 0) return [];
    const rows = await this.log.dataSource.query<{ cid: string; message_id: string; seq: number }[]>(
      'SELECT cid, message_id, seq FROM chat.message WHERE message_id = ANY($1::uuid[])',
      [repeated],
    );
    return rows.map((row) => ({ cid: row.cid, id: row.message_id, seq: row.seq }));
  }

  /** Writes what our people say into the conversations; that is all the sending there is. */
  async say(events: readonly MessageRequested[], tx: LogTransaction): Promise<void> {
    const known = await tx.query<{ message_id: string }>('SELECT message_id FROM chat.message WHERE message_id = ANY($1::uuid[])', [
      events.map(({ data }) => data.messageId),
    ]);
    const done = new Set(known.map((row) => row.message_id));
    const at = (await tx.now()).toISOString();
    const said: NewMessage[] = [];
    for (const event of events) {
      const { messageId, ticketId, channel, accountRef, conversationKey, kind, text } = event.data;
      if (done.has(messageId)) continue;
      done.add(messageId);
      const place = conversationOf(conversationKey);
      if (place) {
        said.push({ ...place, id: messageId, from: kind === 'reply' ? 'agent' : 'system', text });
        tx.append(MessageSent, conversationKey, { messageId, ticketId, channel, accountRef, externalId: messageId, sentAt: at }, event);
      } else {
        const reason = `${conversationKey} names no conversation of the chat`;
        tx.append(MessageFailed, conversationKey, { messageId, ticketId, channel, accountRef, outcome: 'permanent', reason, failedAt: at }, event);
      }
    }
    await this.keep(tx, said);
  }

  /** The next messages of a conversation after a sequence number. */
  async after(conversation: string, seq: number): Promise<ChatMessage[]> {
    const rows = await this.log.dataSource.query<Row[]>(
      `SELECT conversation_id, seq, message_id, cid, author, text, at FROM chat.message WHERE conversation_id = $1 AND seq > $2 ORDER BY seq LIMIT ${PAGE}`,
      [conversation, seq],
    );
    return rows.map((row) => ({
      conversation: row.conversation_id,
      seq: row.seq,
      id: row.message_id,
      ...(row.cid !== null && { cid: row.cid }),
      from: row.author,
      text: row.text,
      at: row.at.toISOString(),
    }));
  }

  /** How far the conversations have come; those without a message are missing. */
  async lastSeqs(conversations: readonly string[]): Promise<Map<string, number>> {
    const rows = await this.log.dataSource.query<{ conversation_id: string; last_seq: number }[]>(
      'SELECT conversation_id, last_seq FROM chat.conversation WHERE conversation_id = ANY($1::uuid[])',
      [conversations],
    );
    return new Map(rows.map((row) => [row.conversation_id, row.last_seq]));
  }

  /** One function for all connections, so that what arrives together is numbered together. */
  private readonly keepReceived = async (tx: LogTransaction, received: Receipt[]): Promise<void> => {
    const fresh = received.filter(({ duplicate }) => !duplicate);
    await this.keep(
      tx,
      fresh.map(({ item, contactId, contact }) => {
        const { conversation, cid } = item.meta as unknown as FrameMeta;
        return { conversation, site: item.accountRef, id: contactId, cid, from: 'visitor', text: contact?.text ?? '' };
      }),
    );
  };

  private async keep(tx: LogTransaction, messages: readonly NewMessage[]): Promise<void> {
    if (messages.length === 0) return;
    const counts = new Map<string, { site: string; count: number }>();
    for (const { conversation, site } of messages) counts.set(conversation, { site, count: (counts.get(conversation)?.count ?? 0) + 1 });
    // One order for everybody who locks several conversations.
    const conversations = [...counts.keys()].sort();
    const moved = await tx.query<{ conversation_id: string; last_seq: number }>(
      `INSERT INTO chat.conversation AS c (conversation_id, site, last_seq) SELECT * FROM unnest($1::uuid[], $2::text[], $3::int[])
       ON CONFLICT (conversation_id) DO UPDATE SET last_seq = c.last_seq + excluded.last_seq RETURNING conversation_id, last_seq`,
      [conversations, conversations.map((id) => counts.get(id)!.site), conversations.map((id) => counts.get(id)!.count)],
    );
    const next = new Map(moved.map((row) => [row.conversation_id, row.last_seq - counts.get(row.conversation_id)!.count + 1]));
    const at = (await tx.now()).toISOString();
    const kept = messages.map(({ site: _, ...message }): ChatMessage => {
      const seq = next.get(message.conversation)!;
      next.set(message.conversation, seq + 1);
      return { ...message, seq, at };
    });
    await tx.query(
      `INSERT INTO chat.message (conversation_id, seq, message_id, cid, author, text)
       SELECT * FROM unnest($1::uuid[], $2::int[], $3::uuid[], $4::text[], $5::text[], $6::text[])`,
      [
        kept.map(({ conversation }) => conversation),
        kept.map(({ seq }) => seq),
        kept.map(({ id }) => id),
        kept.map(({ cid }) => cid ?? null),
        kept.map(({ from }) => from),
        kept.map(({ text }) => text),
      ],
    );
    tx.committed.push(() => {
      for (const message of kept) for (const listener of this.listeners) listener(message);
    });
  }
}
