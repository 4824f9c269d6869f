import type { Logger } from '@nestjs/common';
import { ContactReceived, type Contact } from '@tierline/events';
import { isConnectionError, isTransient, type EventLog, type Leases } from '@tierline/log';
import type { ChannelAdapter, NormalizeContext, RawItem } from './adapter.ts';
import { BlobMissingError, type BlobStore } from './blob-store.ts';
import { normalizeContext, type IntakeOptions, type Thread } from './intake.ts';
import { LeasedLoop } from './leased-loop.ts';
import { toContact, unparsable } from './to-contact.ts';

const MAX_BATCH = 200;
/** Payloads in memory at a time: each may be as large as the channel lets in. */
const MAX_PARALLEL = 8;
const IDLE_POLL_MS = 500;
/** A payload that was being parsed when the process died this often is not tried again: it may be what kills the process. */
const MAX_ATTEMPTS = 5;

interface Row {
  contact_id: string;
  account_ref: string;
  dedupe_key: string;
  media_type: string;
  raw: Buffer | null;
  raw_ref: string;
  sha256: string;
  bytes: number;
  meta: string;
  attempts: number;
  received_at: Date;
}

interface Parsed {
  row: Row;
  contact: Contact | undefined;
}

/** Makes the contacts of a channel whose intake defers it: in order of arrival, after any crash again. */
export class ParseLoop {
  private readonly loop: LeasedLoop;

  constructor(
    private readonly log: EventLog,
    leases: Leases,
    private readonly blobs: BlobStore,
    private readonly adapter: ChannelAdapter,
    private readonly options: IntakeOptions,
    private readonly logger: Logger,
  ) {
    this.loop = new LeasedLoop(leases, `parse:${options.service}`, logger, () => this.parse());
  }

  start(): void {
    this.loop.start();
  }

  wake(): void {
    this.loop.wake();
  }

  async stop(): Promise<void> {
    await this.loop.stop();
  }

  private async parse(): Promise<number> {
    const rows = await this.claim();
    if (rows.length === 0) return IDLE_POLL_MS;
    try {
      await this.commit(await inParallel(rows, async (row) => ({ row, contact: await this.normalize(row) })));
    } catch (error) {
      // The database or the blob store is away, and we are still here: that is no fault of the payloads.
      await this.log.dataSource.query(`UPDATE ${this.table} SET attempts = attempts - 1 WHERE contact_id = ANY($1::uuid[]) AND state = 'received'`, [
        rows.map((row) => row.contact_id),
      ]);
      throw error;
    }
    return 0;
  }

  /** Commits the contacts together, or in halves until the one at fault is alone; that one counts as unparsable. */
  private async commit(parsed: Parsed[]): Promise<void> {
    try {
      await this.record(parsed, this.options.thread);
    } catch (error) {
      if (isConnectionError(error) || isTransient(error)) throw error;
      const [first] = parsed;
      if (parsed.length > 1) {
        const middle = parsed.length >> 1;
        await this.commit(parsed.slice(0, middle));
        await this.commit(parsed.slice(middle));
      } else {
        this.logger.error(`contact ${first!.row.contact_id} cannot be recorded as parsed: ${error instanceof Error ? error.message : String(error)}`);
        await this.record(
          [{ row: first!.row, contact: unparsable(this.adapter, this.itemOf(first!.row, Buffer.alloc(0)), this.contextOf(first!.row)) }],
          undefined,
        );
      }
    }
  }

  private async record(parsed: readonly Parsed[], thread: Thread | undefined): Promise<void> {
    await this.log.transaction(this.options.service, async (tx) => {
      // Only what nobody else has done meanwhile.
      const mine = await tx.query<{ contact_id: string }>(
        `UPDATE ${this.table} i SET state = n.state FROM unnest($1::uuid[], $2::text[]) AS n(contact_id, state)
         WHERE i.contact_id = n.contact_id AND i.state = 'received' RETURNING i.contact_id`,
        [parsed.map(({ row }) => row.contact_id), parsed.map(({ contact }) => (contact ? 'normalized' : 'ignored'))],
      );
      const changed = new Set(mine.map((row) => row.contact_id));
      const made = parsed.flatMap(({ contact }) => (contact && changed.has(contact.id) ? [contact] : []));
      for (const contact of (await thread?.(tx, made)) ?? made) tx.append(ContactReceived, contact.conversationKey, contact);
    });
  }

  /** The next rows, marked as tried before they are. Rows that a crash interrupted go alone, so that the guilty one is told from its neighbours. */
  private async claim(): Promise<Row[]> {
    return this.log.transaction(this.options.service, async (tx) => {
      const rows = await tx.query<Row>(
        `WITH head AS (SELECT attempts FROM ${this.table} WHERE state = 'received' ORDER BY seq LIMIT 1)
         SELECT contact_id, account_ref, dedupe_key, media_type, raw, raw_ref, sha256, bytes, meta, attempts, received_at FROM ${this.table}
         WHERE state = 'received' ORDER BY seq LIMIT CASE WHEN (SELECT attempts FROM head) > 0 THEN 1 ELSE ${MAX_BATCH} END`,
      );
      if (rows.length > 0) {
        await tx.query(`UPDATE ${this.table} SET attempts = attempts + 1 WHERE contact_id = ANY($1::uuid[])`, [rows.map((row) => row.contact_id)]);
      }
      return rows;
    });
  }

  private async normalize(row: Row): Promise<Contact | undefined> {
    const context = this.contextOf(row);
    try {
      const item = this.itemOf(row, row.raw ?? (await this.blobs.get(row.raw_ref)));
      return row.attempts < MAX_ATTEMPTS ? await toContact(this.adapter, item, context) : unparsable(this.adapter, item, context);
    } catch (error) {
      if (error instanceof BlobMissingError) return unparsable(this.adapter, this.itemOf(row, Buffer.alloc(0)), context);
      throw error;
    }
  }

  private itemOf(row: Row, body: Buffer): RawItem {
    return {
      accountRef: row.account_ref,
      dedupeKey: row.dedupe_key,
      mediaType: row.media_type,
      body,
      meta: JSON.parse(row.meta) as Record<string, unknown>,
      receivedAt: row.received_at,
    };
  }

  private contextOf(row: Row): NormalizeContext {
    return normalizeContext(this.blobs, this.options.secret, {
      contactId: row.contact_id,
      raw: { ref: row.raw_ref, sha256: row.sha256, mediaType: row.media_type, bytes: row.bytes },
      receivedAt: row.received_at,
    });
  }

  private get table(): string {
    return `"${this.options.service}".inbound`;
  }
}

/** `work` on every item, a few at a time; the answers in the order of the items. */
async function inParallel<In, Out>(items: readonly In[], work: (item: In) => Promise<Out>): Promise<Out[]> {
  const results = new Array<Out>(items.length);
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) results[index] = await work(items[index]!);
  };
  await Promise.all(Array.from({ length: Math.min(MAX_PARALLEL, items.length) }, lane));
  return results;
}
