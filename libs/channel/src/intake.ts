import { createHash } from 'node:crypto';
import type { Logger } from '@nestjs/common';
import { ContactReceived, newId, type Contact } from '@tierline/events';
import { isConnectionError, isTransient, type EventLog, type LogTransaction } from '@tierline/log';
import type { ChannelAdapter, NormalizeContext, RawItem } from './adapter.ts';
import type { BlobStore } from './blob-store.ts';
import { storable, storableKey } from './storable.ts';
import { toContact } from './to-contact.ts';

/** One transaction takes this many items; more only add latency. */
const MAX_FLUSH_ITEMS = 500;
/**
 * While one transaction appends and commits, the next writes its rows: this process and the database work at the same time. A third would only make them smaller.
 */
const MAX_FLUSHES = 2;
/** What may wait here for its commit; further callers wait before they are let in. */
const MAX_HELD_ITEMS = 5_000;
const MAX_HELD_BYTES = 64 * 1024 * 1024;
/** Larger payloads go to the blob store: in a row they would swell the write-ahead log and every backup. */
const MAX_ROW_BYTES = 64 * 1024;
const TRANSIENT_TRIES = 5;

/** What became of an item. */
export interface Receipt {
  item: RawItem;
  contactId: string;
  /** The item had been received before; `contactId` is the one it got then. */
  duplicate: boolean;
  /** A duplicate whose bytes are not those of the first. */
  differs: boolean;
  /** Absent for duplicates, for what is nobody's contact, and where normalizing is deferred. */
  contact?: Contact;
}

/** Writes rows of the channel's own in the transaction that keeps the items: a cursor, a sequence number. Called for all callers' items that came with the same function at once. */
export type Alongside = (tx: LogTransaction, received: Receipt[]) => Promise<void>;

/**
 * Says which conversations contacts belong to, in the transaction that appends them: for channels whose provider does not say, and only where normalizing is
 * deferred. The contacts come in order of arrival, and may be parent and answer.
 */
export type Thread = (tx: LogTransaction, contacts: readonly Contact[]) => Promise<readonly Contact[]>;

interface Entry {
  item: RawItem;
  key: string;
  sha256: string;
  contactId: string;
  row: Buffer | null;
  rawRef: string;
  contact?: Contact | undefined;
}

type Kept = Pick<Receipt, 'contactId' | 'duplicate' | 'differs'>;

/** What a transaction waits for in the one before, so that both end in the order in which they began. */
interface Place {
  rowsWritten: Gate;
  over: Gate;
}

interface Call {
  entries: Entry[];
  alongside: Alongside | undefined;
  resolve: (receipts: Receipt[]) => void;
  reject: (error: unknown) => void;
}

export interface IntakeOptions {
  /** Name of the service, and of the schema with its tables. */
  service: string;
  /**
   * `inline`: the contact is made before the commit and appended in it; for small payloads and pure adapters.
   * `deferred`: the raw item is committed and acknowledged first, then `ParseLoop` makes the contact; for what takes time or may kill its parser.
   */
  normalize: 'inline' | 'deferred';
  /** For tokens that the channel signs itself. */
  secret: string;
  thread?: Thread | undefined;
}

/**
 * The door of a channel: keeps what arrives, once. Callers that come while a transaction is in flight share the next one, so that the number of
 * commits a second does not bound the number of items.
 */
export class Intake {
  private readonly calls: Call[] = [];
  private flushes = 0;
  private scheduled = false;
  private last: Place = { rowsWritten: openGate(), over: openGate() };
  private heldItems = 0;
  private heldBytes = 0;
  private readonly turnedAway: (() => void)[] = [];
  private readonly listeners = new Set<() => void>();

  constructor(
    private readonly log: EventLog,
    private readonly blobs: BlobStore,
    private readonly adapter: ChannelAdapter,
    private readonly options: IntakeOptions,
    private readonly logger: Logger,
  ) {}

  /**
   * Keeps the items and resolves after the commit, with one receipt an item. The items of one call stay in order and are kept together or not at all;
   * so is what `alongside` writes. Of concurrent calls the order is not promised. Rejects when nothing was kept: the caller must not acknowledge.
   */
  async receive(items: readonly RawItem[], alongside?: Alongside): Promise<Receipt[]> {
    if (items.length === 0 && !alongside) return [];
    const bytes = items.reduce((sum, item) => sum + item.body.length, 0);
    await this.enter(items.length, bytes);
    try {
      const entries = await Promise.all(items.map((item) => this.prepare(item)));
      return await new Promise<Receipt[]>((resolve, reject) => {
        this.calls.push({ entries, alongside, resolve, reject });
        this.schedule();
      });
    } finally {
      this.leave(items.length, bytes);
    }
  }

  /** Calls `listener` after each commit of new items. */
  onReceived(listener: () => void): void {
    this.listeners.add(listener);
  }

  /** Waits until everything that was let in is kept. */
  async drain(): Promise<void> {
    while (this.heldItems > 0) await new Promise<void>((left) => this.turnedAway.push(left));
  }

  private async enter(items: number, bytes: number): Promise<void> {
    // An item larger than the whole room is let in when it is alone.
    while (this.heldItems > 0 && (this.heldItems + items > MAX_HELD_ITEMS || this.heldBytes + bytes > MAX_HELD_BYTES)) {
      await new Promise<void>((left) => this.turnedAway.push(left));
    }
    this.heldItems += items;
    this.heldBytes += bytes;
  }

  private leave(items: number, bytes: number): void {
    this.heldItems -= items;
    this.heldBytes -= bytes;
    for (const retry of this.turnedAway.splice(0)) retry();
  }

  private async prepare(given: RawItem): Promise<Entry> {
    const item = { ...given, accountRef: storableKey(given.accountRef), dedupeKey: storableKey(given.dedupeKey), mediaType: storable(given.mediaType) };
    const contactId = newId();
    const large = item.body.length > MAX_ROW_BYTES;
    const blob = large ? await this.blobs.put(item.body) : undefined;
    const entry: Entry = {
      item,
      key: `${item.accountRef}\n${item.dedupeKey}`,
      sha256: blob?.sha256 ?? createHash('sha256').update(item.body).digest('hex'),
      contactId,
      row: large ? null : item.body,
      rawRef: blob?.ref ?? `inbound:${this.options.service}/${contactId}`,
    };
    if (this.options.normalize === 'inline') entry.contact = await toContact(this.adapter, item, this.contextOf(entry));
    return entry;
  }

  private contextOf(entry: Entry): NormalizeContext {
    return normalizeContext(this.blobs, this.options.secret, {
      contactId: entry.contactId,
      raw: { ref: entry.rawRef, sha256: entry.sha256, mediaType: entry.item.mediaType, bytes: entry.item.body.length },
      receivedAt: entry.item.receivedAt,
    });
  }

  /** Begins a flush when there is room for one, at the end of this turn of the event loop: everybody who calls in it is in the same. */
  private schedule(): void {
    if (this.scheduled || this.flushes >= MAX_FLUSHES || this.calls.length === 0) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      let items = 0;
      let count = 0;
      while (count < this.calls.length && items < MAX_FLUSH_ITEMS) items += this.calls[count++]!.entries.length;
      this.flushes++;
      void this.keep(this.calls.splice(0, count)).finally(() => {
        this.flushes--;
        this.schedule();
      });
      this.schedule();
    });
  }

  /** Commits the calls together; when that fails for a reason of its own, in halves, until the call at fault is alone. */
  private async keep(calls: Call[]): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        const received = await this.commit(calls);
        calls.forEach((call, index) => call.resolve(received[index]!));
        for (const listener of this.listeners) listener();
        return;
      } catch (error) {
        if (isTransient(error) && attempt < TRANSIENT_TRIES) continue;
        if (calls.length > 1 && !isConnectionError(error)) {
          const middle = calls.length >> 1;
          await this.keep(calls.slice(0, middle));
          await this.keep(calls.slice(middle));
          return;
        }
        this.logger.warn(`${calls.length} deliveries not kept: ${error instanceof Error ? error.message : String(error)}`);
        for (const call of calls) call.reject(error);
        return;
      }
    }
  }

  private async commit(calls: Call[]): Promise<Receipt[][]> {
    const before = this.last;
    const place = { rowsWritten: gate(), over: gate() };
    this.last = place;
    try {
      // Rows in the order of the transactions, or two that have a key in common could wait for each other, one here and one in the database.
      await before.rowsWritten.opened;
      return await this.log.transaction(this.options.service, async (tx) => {
        const received = await this.write(tx, calls);
        place.rowsWritten.open();
        await before.over.opened;
        for (const { contact } of received.flat()) if (contact) tx.append(ContactReceived, contact.conversationKey, contact);
        return received;
      });
    } finally {
      place.rowsWritten.open();
      place.over.open();
    }
  }

  private async write(tx: LogTransaction, calls: Call[]): Promise<Receipt[][]> {
    const entries = calls.flatMap((call) => call.entries);
    const kept = entries.length > 0 ? await this.insert(tx, entries) : [];
    let next = 0;
    const received = calls.map((call) =>
      call.entries.map(({ item, contact }): Receipt => {
        const outcome = kept[next++]!;
        return { item, ...outcome, ...(contact && !outcome.duplicate && { contact }) };
      }),
    );
    const together = new Map<Alongside, Receipt[]>();
    calls.forEach(({ alongside }, index) => {
      if (alongside) together.set(alongside, [...(together.get(alongside) ?? []), ...received[index]!]);
    });
    for (const [alongside, all] of together) await alongside(tx, all);
    return received;
  }

  private async insert(tx: LogTransaction, entries: Entry[]): Promise<Kept[]> {
    const inserted = await tx.query<{ contact_id: string; now: Date }>(
      `INSERT INTO "${this.options.service}".inbound (contact_id, account_ref, dedupe_key, media_type, raw, raw_ref, sha256, bytes, meta, state, received_at)
       SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::text[], $7::text[], $8::int[], $9::text[], $10::text[], $11::timestamptz[])
       ON CONFLICT (account_ref, dedupe_key) DO NOTHING RETURNING contact_id, now()`,
      [
        entries.map((entry) => entry.contactId),
        entries.map((entry) => entry.item.accountRef),
        entries.map((entry) => entry.item.dedupeKey),
        entries.map((entry) => entry.item.mediaType),
        entries.map((entry) => entry.row),
        entries.map((entry) => entry.rawRef),
        entries.map((entry) => entry.sha256),
        entries.map((entry) => entry.item.body.length),
        entries.map((entry) => JSON.stringify(entry.item.meta)),
        entries.map((entry) => (this.options.normalize === 'deferred' ? 'received' : entry.contact ? 'normalized' : 'ignored')),
        entries.map((entry) => entry.item.receivedAt),
      ],
    );
    if (inserted[0]) tx.setNow(inserted[0].now);
    const fresh = new Set(inserted.map((row) => row.contact_id));
    const repeated = entries.filter((entry) => !fresh.has(entry.contactId));
    const first = repeated.length > 0 ? await this.firstOf(tx, repeated) : undefined;
    return entries.map((entry) => {
      if (fresh.has(entry.contactId)) return { contactId: entry.contactId, duplicate: false, differs: false };
      const known = first!.get(entry.key)!;
      return { contactId: known.contact_id, duplicate: true, differs: known.sha256 !== entry.sha256 };
    });
  }

  /** A statement of its own, because one in flight does not see rows that another transaction committed meanwhile. */
  private async firstOf(tx: LogTransaction, entries: Entry[]): Promise<Map<string, { contact_id: string; sha256: string }>> {
    const rows = await tx.query<{ key: string; contact_id: string; sha256: string }>(
      `SELECT account_ref || E'\\n' || dedupe_key AS key, contact_id, sha256 FROM "${this.options.service}".inbound
       JOIN unnest($1::text[], $2::text[]) AS k(account_ref, dedupe_key) USING (account_ref, dedupe_key)`,
      [entries.map((entry) => entry.item.accountRef), entries.map((entry) => entry.item.dedupeKey)],
    );
    return new Map(rows.map((row) => [row.key, row]));
  }
}

/** What an adapter may use beside the item. */
export function normalizeContext(blobs: BlobStore, secret: string, about: Pick<NormalizeContext, 'contactId' | 'raw' | 'receivedAt'>): NormalizeContext {
  return { ...about, secret, saveBlob: (bytes) => blobs.put(bytes) };
}

interface Gate {
  readonly opened: Promise<void>;
  open(): void;
}

function gate(): Gate {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

function openGate(): Gate {
  return { opened: Promise.resolve(), open: () => undefined };
}
