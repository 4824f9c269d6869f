import { randomUUID } from 'node:crypto';
import type { Logger } from '@nestjs/common';
import { MessageFailed, MessageSent, type MessageRequested } from '@tierline/events';
import type { EventLog, Leases, LogTransaction } from '@tierline/log';
import type { ChannelAdapter, SendResult } from './adapter.ts';
import { LeasedLoop } from './leased-loop.ts';

/** Messages on their way to the provider at a time, each of another conversation. */
const MAX_PARALLEL = 16;
const IDLE_POLL_MS = 500;
/** No provider answers later; whether it took the message is then unknown. */
const SEND_TIMEOUT_MS = 60_000;
const FIRST_BACKOFF_MS = 2_000;
const LONGEST_BACKOFF_MS = 10 * 60_000;
/** A message that nobody takes for a day is no longer an answer. */
const GIVE_UP_MS = 24 * 3_600_000;

type Message = MessageRequested['data'];

interface Row {
  message_id: string;
  requested_by: string;
  message: string;
  prepared: string | null;
  attempts: number;
  age_ms: number;
}

interface Finished {
  row: Row;
  message: Message;
  result: SendResult;
}

/**
 * The way out of a channel: messages in order per conversation, many conversations at a time. That a message is being sent is committed before it is;
 * one that a crash interrupted is never sent again but reported as unknown, because nobody should hear a thing twice.
 */
export class Delivery {
  private readonly sender = randomUUID();
  private readonly loop: LeasedLoop;
  private readonly inFlight = new Map<string, Promise<void>>();
  private finished: Finished[] = [];
  /** A claim failed, and it is not known whether before or after its commit. */
  private claimInDoubt = false;

  constructor(
    private readonly log: EventLog,
    leases: Leases,
    private readonly adapter: ChannelAdapter,
    private readonly service: string,
    logger: Logger,
  ) {
    this.loop = new LeasedLoop(
      leases,
      `delivery:${service}`,
      logger,
      () => this.deliver(),
      () => this.reportInterrupted(),
    );
  }

  /**
   * Queues the messages in the transaction of the consumer that was asked to send them; one that is known already is left alone.
   * What `prepared` has for a message id is given to the adapter with the message, on every try.
   */
  async enqueue(events: readonly MessageRequested[], tx: LogTransaction, prepared?: ReadonlyMap<string, unknown>): Promise<void> {
    if (events.length === 0) return;
    await tx.query(
      `INSERT INTO ${this.table} (message_id, conversation_key, requested_by, message, prepared, state)
       SELECT message_id, conversation_key, requested_by, message, prepared, 'queued'
       FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::text[]) AS n(message_id, conversation_key, requested_by, message, prepared)
       ON CONFLICT (message_id) DO NOTHING`,
      [
        events.map(({ data }) => data.messageId),
        events.map(({ data }) => data.conversationKey),
        events.map(({ id }) => id),
        events.map(({ data }) => JSON.stringify(data)),
        events.map(({ data }) => JSON.stringify(prepared?.get(data.messageId)) ?? null),
      ],
    );
    tx.committed.push(() => this.loop.wake());
  }

  start(): void {
    this.loop.start();
  }

  /** Lets the messages that are on their way arrive, and records it. */
  async stop(): Promise<void> {
    await this.loop.stop();
    await Promise.all(this.inFlight.values());
    await this.settle();
  }

  private async deliver(): Promise<number> {
    await this.settle();
    for (const row of await this.claim(MAX_PARALLEL - this.inFlight.size)) {
      this.inFlight.set(
        row.message_id,
        this.send(row).finally(() => this.inFlight.delete(row.message_id)),
      );
    }
    return this.finished.length > 0 ? 0 : IDLE_POLL_MS;
  }

  /** Takes the first message of each conversation that has none on its way. The commit comes before the sending. */
  private async claim(limit: number): Promise<Row[]> {
    if (this.claimInDoubt) await this.returnUnsent();
    if (limit === 0) return [];
    this.claimInDoubt = true;
    const rows = await this.log.transaction(this.service, (tx) =>
      tx.query<Row>(
        `UPDATE ${this.table} o SET state = 'sending', attempts = attempts + 1, sender = $2
         WHERE message_id IN (
           SELECT message_id FROM ${this.table} q WHERE state = 'queued' AND due_at <= now() AND NOT EXISTS (
             SELECT FROM ${this.table} e WHERE e.conversation_key = q.conversation_key AND e.state IN ('queued', 'sending') AND e.seq < q.seq)
           ORDER BY seq LIMIT $1 FOR UPDATE SKIP LOCKED)
         RETURNING message_id, requested_by, message, prepared, attempts, (extract(epoch FROM now() - requested_at) * 1000)::float8 AS age_ms`,
        [limit, this.sender],
      ),
    );
    this.claimInDoubt = false;
    return rows;
  }

  /** Queues again what this process claimed without hearing so: it has not sent it. */
  private async returnUnsent(): Promise<void> {
    await this.log.dataSource.query(
      `UPDATE ${this.table} SET state = 'queued', attempts = attempts - 1 WHERE state = 'sending' AND sender = $1 AND message_id <> ALL($2::uuid[])`,
      [this.sender, [...this.inFlight.keys(), ...this.finished.map(({ row }) => row.message_id)]],
    );
    this.claimInDoubt = false;
  }

  private async send(row: Row): Promise<void> {
    const message = JSON.parse(row.message) as Message;
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<SendResult>((resolve) => {
      timer = setTimeout(() => resolve({ outcome: 'unknown', reason: `no answer in ${SEND_TIMEOUT_MS / 1_000} s` }), SEND_TIMEOUT_MS);
    });
    const result = await Promise.race([this.attempt(message, row.prepared), timeout]).finally(() => clearTimeout(timer));
    this.finished.push({ row, message, result });
    this.loop.wake();
  }

  private async attempt(message: Message, prepared: string | null): Promise<SendResult> {
    try {
      return await this.adapter.send!(message, prepared === null ? undefined : JSON.parse(prepared));
    } catch (error) {
      return { outcome: 'unknown', reason: error instanceof Error ? error.message : String(error) };
    }
  }

  /** Records what has become of the messages that were on their way, all in one transaction. */
  private async settle(): Promise<void> {
    if (this.finished.length === 0) return;
    const batch = this.finished.map((finished) => ({ ...finished, result: withoutEndlessRetry(finished) }));
    await this.log.transaction(this.service, async (tx) => {
      const settled = await tx.query<{ message_id: string }>(
        // Another owner may have reported a message of ours as unknown while we were frozen; that it was sent is the better news.
        `UPDATE ${this.table} o SET state = n.state, external_id = n.external_id, reason = n.reason, due_at = now() + n.wait_ms * interval '1 ms'
         FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::float8[]) AS n(message_id, state, external_id, reason, wait_ms)
         WHERE o.message_id = n.message_id AND o.sender = $6 AND (o.state = 'sending' OR o.state = 'unknown' AND n.state = 'sent')
         RETURNING o.message_id`,
        [
          batch.map(({ row }) => row.message_id),
          batch.map(({ result }) => STATES[result.outcome]),
          batch.map(({ result }) => (result.outcome === 'sent' ? result.externalId : null)),
          batch.map(({ result }) => (result.outcome === 'sent' ? null : result.reason)),
          batch.map(({ row, result }) => (result.outcome === 'retry' ? (result.retryAfterMs ?? backoffMs(row.attempts)) : 0)),
          this.sender,
        ],
      );
      const ids = new Set(settled.map((row) => row.message_id));
      const at = (await tx.now()).toISOString();
      for (const { row, message, result } of batch) if (ids.has(row.message_id)) report(tx, row, message, result, at);
    });
    this.finished = this.finished.slice(batch.length);
  }

  /** What a former owner left in the state `sending` may have been sent or not. */
  private async reportInterrupted(): Promise<void> {
    await this.log.transaction(this.service, async (tx) => {
      const rows = await tx.query<Row>(
        `UPDATE ${this.table} SET state = 'unknown', reason = $2 WHERE state = 'sending' AND sender <> $1 RETURNING message_id, requested_by, message, prepared, attempts, 0 AS age_ms`,
        [this.sender, INTERRUPTED],
      );
      const at = (await tx.now()).toISOString();
      for (const row of rows) report(tx, row, JSON.parse(row.message) as Message, { outcome: 'unknown', reason: INTERRUPTED }, at);
    });
  }

  private get table(): string {
    return `"${this.service}".outbound`;
  }
}

const INTERRUPTED = 'the sending process stopped before the provider answered';
const STATES = { sent: 'sent', retry: 'queued', permanent: 'failed', unknown: 'unknown' } as const;

function withoutEndlessRetry({ row, result }: Finished): SendResult {
  if (result.outcome !== 'retry' || row.age_ms < GIVE_UP_MS) return result;
  return { outcome: 'permanent', reason: `given up after a day: ${result.reason}` };
}

/** Doubles with each attempt; half of it is chance, so that a provider that comes back is not met by everything at once. */
function backoffMs(attempts: number): number {
  return Math.min(FIRST_BACKOFF_MS * 2 ** Math.min(attempts - 1, 20), LONGEST_BACKOFF_MS) * (0.5 + Math.random() / 2);
}

function report(tx: LogTransaction, row: Row, message: Message, result: SendResult, at: string): void {
  if (result.outcome === 'retry') return;
  const { messageId, ticketId, channel, accountRef, conversationKey } = message;
  const cause = { id: row.requested_by };
  if (result.outcome === 'sent') {
    tx.append(MessageSent, conversationKey, { messageId, ticketId, channel, accountRef, externalId: result.externalId, sentAt: at }, cause);
  } else {
    tx.append(
      MessageFailed,
      conversationKey,
      { messageId, ticketId, channel, accountRef, outcome: result.outcome, reason: result.reason, failedAt: at },
      cause,
    );
  }
}
