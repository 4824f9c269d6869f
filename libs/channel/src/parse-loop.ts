import type { Logger } from '@nestjs/common';
import { ContactReceived, type Contact } from '@tierline/events';
import type { EventLog, Leases } from '@tierline/log';
import type { ChannelAdapter, RawItem } from './adapter.ts';
import { BlobMissingError, type BlobStore } from './blob-store.ts';
import { normalizeContext, type IntakeOptions } from './intake.ts';
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

/** Makes the contacts of a channel whose intake defers it: in order of arrival, after any crash again. */
export class ParseLoop {
  private readonly loop: LeasedLoop;

  constructor(
    private readonly log: EventLog,
    leases: Leases,
    private readonly blobs: BlobStore,
    private readonly adapter: ChannelAdapter,
    private readonly options: IntakeOptions,
    logger: Logger,
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
    let contacts: (Contact | undefined)[];
    try {
      contacts = await inParallel(rows, (row) => this.normalize(row));
    } catch (error) {
      // The blob store is away; that is no fault of the payloads.
      await this.log.dataSource.query(`UPDATE ${this.table} SET attempts = attempts - 1 WHERE contact_id = ANY($1::uuid[]) AND state = 'received'`, [
        rows.map((row) => row.contact_id),
      ]);
      throw error;
    }
    await this.log.transaction(this.options.service, async (tx) => {
      // Only what nobody else has done meanwhile.
      const mine = await tx.query<{ contact_id: string }>(
        `UPDATE ${this.table} i SET state = n.state FROM unnest($1::uuid[], $2::text[]) AS n(contact_id, state)
         WHERE i.contact_id = n.contact_id AND i.state = 'received' RETURNING i.contact_id`,
        [rows.map((row) => row.contact_id), contacts.map((contact) => (contact ? 'normalized' : 'ignored'))],
      );
      const changed = new Set(mine.map((row) => row.contact_id));
      const made = contacts.filter((contact) => contact !== undefined && changed.has(contact.id)) as Contact[];
      for (const contact of (await this.options.thread?.(tx, made)) ?? made) tx.append(ContactReceived, contact.conversationKey, contact);
    });
    return 0;
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
    const context = normalizeContext(this.blobs, this.options.secret, {
      contactId: row.contact_id,
      raw: { ref: row.raw_ref, sha256: row.sha256, mediaType: row.media_type, bytes: row.bytes },
      receivedAt: row.received_at,
    });
    const item: RawItem = {
      accountRef: row.account_ref,
      dedupeKey: row.dedupe_key,
      mediaType: row.media_type,
      body: Buffer.alloc(0),
      meta: JSON.parse(row.meta) as Record<string, unknown>,
      receivedAt: row.received_at,
    };
    try {
      const whole = { ...item, body: row.raw ?? (await this.blobs.get(row.raw_ref)) };
      if (row.attempts < MAX_ATTEMPTS) return await toContact(this.adapter, whole, context);
      return unparsable(this.adapter, whole, context);
    } catch (error) {
      if (error instanceof BlobMissingError) return unparsable(this.adapter, item, context);
      throw error;
    }
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
