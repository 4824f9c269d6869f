import { createHash } from 'node:crypto';
import type { Logger } from '@nestjs/common';
import type { Intake, RawItem } from '@tierline/channel';
import { Wakeup, type EventLog, type Leases } from '@tierline/log';
import { ImapFlow, type FetchMessageObject } from 'imapflow';
import type { Mailbox } from '../configuration.ts';
import type { MailMeta } from '../email.adapter.ts';
import { backoffMs, type ImapFailure } from './backoff.ts';
import type { ConnectionGate } from './connection-gate.ts';
import { groupWhole, nextSearch, toTake, type Cursor } from './cursor.ts';
import { loadCursor, moveCursor, neverTaken, passUid, SWEEP_DAYS, type Folder, type Taken } from './cursor.service.ts';
import { afterFailure, isHopeless, nextBatch, type Doubt } from './doubt.ts';

/** How often a process asks whether a mailbox has lost its reader: with a thousand mailboxes, two hundred questions a second. */
const ASK_EVERY_MS = 5_000;
/** IDLE dies silently on some servers and in some firewalls. */
const POLL_EVERY_MS = 2 * 60_000;
const IDLE_MS = 4 * 60_000;
/** Above `IDLE_MS`, or a quiet mailbox would look dead. */
const SILENCE_MS = 5 * 60_000;
const CONNECT_WITHIN_MS = 30_000;
const MAX_LITERAL_BYTES = 64 * 1024 * 1024;
const MAX_RESPONSE_BYTES = 128 * 1024 * 1024;
const SWEEP_EVERY_MS = 3_600_000;
/** Fetched of every mail of a batch at once, and kept of one that is too large: its header, and the beginning of its text. The rest stays in the mailbox. */
const HEAD_BYTES = 256 * 1024;
/** Mails that show whether a server that does not hand out one hands out any. */
const PROBES = 3;

export interface MailboxState {
  readonly ref: string;
  readonly state: 'waiting' | 'connecting' | 'reading' | 'idle' | 'failing' | 'refused';
  /** What the server said last when it refused or failed. */
  readonly reason?: string;
  /** Mails taken since the start, and those among them that only the sweep found: each of these is a fault somewhere. */
  readonly taken: number;
  readonly swept: number;
}

/** What every mailbox of a process shares. */
export interface MailboxParts {
  readonly intake: Intake;
  readonly log: EventLog;
  readonly leases: Leases;
  readonly gate: ConnectionGate;
  readonly logger: Logger;
  readonly maxBytes: number;
}

type Imap = NonNullable<Mailbox['imap']>;
/**
 * Reads one mailbox for as long as this process has its lease. Mail is taken by UID, and the cursor moves in the transaction that keeps the mail:
 * flags, dates and Message-IDs decide nothing, and nothing in the mailbox is changed. A rival does no harm; it only does the work twice.
 */
export class MailboxReader {
  private readonly mail = new Wakeup();
  private readonly end = new Wakeup();
  private readonly lease: string;
  private readonly folder: Folder;
  private client: ImapFlow | undefined;
  private running: Promise<void> | undefined;
  private stopping = false;
  private failures = 0;
  private doubt: Doubt | undefined;
  private sweepsAt = 0;
  private current: MailboxState;

  constructor(
    private readonly ref: string,
    private readonly imap: Imap,
    private readonly parts: MailboxParts,
  ) {
    this.lease = `mailbox:${ref}`;
    this.folder = { accountRef: ref, path: imap.folder };
    this.current = { ref, state: 'waiting', taken: 0, swept: 0 };
  }

  get state(): MailboxState {
    return this.current;
  }

  start(): void {
    this.running = this.run();
  }

  /** Ends after the mails that are being taken. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.mail.wake();
    this.end.wake();
    await this.running;
    this.client?.close();
    await this.parts.leases.release(this.lease);
  }

  private async run(): Promise<void> {
    while (!this.stopping) {
      if (!this.parts.leases.holds(this.lease) && !(await this.parts.leases.acquire(this.lease))) {
        this.disconnect();
        this.enter('waiting');
        await this.end.wait(ASK_EVERY_MS * (0.5 + Math.random()));
        continue;
      }
      try {
        const client = (this.client ??= await this.connect());
        this.enter('reading');
        await this.read(client);
        this.failures = 0;
        this.enter('idle');
        // Ends when the next command is given, or with the connection, whose `close` wakes us.
        client.idle().catch(() => undefined);
        if (!this.stopping) await this.mail.wait(POLL_EVERY_MS);
        // A server that hangs up after each answer must not be asked without end.
        if (!this.stopping && !client.usable) throw new Error(`${this.imap.host} closed the connection`);
      } catch (error) {
        await this.pause(error as Error & ImapFailure & { responseText?: string });
      }
    }
  }

  private async pause(error: Error & ImapFailure & { responseText?: string }): Promise<void> {
    this.disconnect();
    if (this.stopping) return;
    const waitMs = backoffMs(++this.failures, error, Math.random());
    const reason = error.responseText ?? error.message;
    this.enter(error.authenticationFailed ? 'refused' : 'failing', reason);
    const next = `next try in ${Math.round(waitMs / 1_000)} s`;
    if (error.authenticationFailed)
      this.parts.logger.error(`mailbox ${this.ref}: ${this.imap.host} refuses user ${this.imap.user}: ${reason}; change the settings (${next})`);
    else this.parts.logger.warn(`mailbox ${this.ref}: ${reason}; ${next}`);
    await this.end.wait(waitMs);
  }

  private enter(state: MailboxState['state'], reason?: string): void {
    const { ref, taken, swept } = this.current;
    this.current = { ref, state, ...(reason !== undefined && { reason }), taken, swept };
  }

  /** A used instance cannot connect again, so each connection is a new one. */
  private async connect(): Promise<ImapFlow> {
    const { host, port, tls, user, password } = this.imap;
    this.enter('connecting');
    return this.parts.gate.through(host, async () => {
      const client = new ImapFlow({
        host,
        port,
        secure: tls === 'implicit',
        doSTARTTLS: tls === 'starttls',
        auth: { user, pass: password },
        clientInfo: { name: 'Tierline' },
        logger: false,
        disableAutoIdle: true,
        maxIdleTime: IDLE_MS,
        socketTimeout: SILENCE_MS,
        connectionTimeout: CONNECT_WITHIN_MS,
        greetingTimeout: CONNECT_WITHIN_MS,
        maxLiteralSize: MAX_LITERAL_BYTES,
        maxResponseSize: MAX_RESPONSE_BYTES,
      });
      // Without a listener an error would end the process; what it means comes with `close` or with the command that fails.
      client.on('error', () => undefined);
      client.on('exists', () => this.mail.wake());
      client.on('close', () => {
        if (this.client === client) this.client = undefined;
        this.mail.wake();
      });
      try {
        await client.connect();
      } catch (error) {
        client.close();
        throw error;
      }
      return client;
    });
  }

  private disconnect(): void {
    const { client } = this;
    this.client = undefined;
    client?.close();
  }

  /** Takes everything that the cursor has not passed yet. The folder is opened anew each time, because its UIDVALIDITY may have changed. */
  private async read(client: ImapFlow): Promise<void> {
    const opened = await client.mailboxOpen(this.imap.folder, { readOnly: true });
    const uidvalidity = Number(opened.uidValidity);
    if (!opened.uidNext || !uidvalidity) throw new Error(`${this.imap.host} names no UIDs for ${this.imap.folder}`);
    const { cursor: stored, reset } = await loadCursor(this.parts.log, this.folder, { uidvalidity, uidNext: opened.uidNext }, this.imap.importSince);
    let cursor = stored;
    if (reset)
      this.parts.logger.error(
        `mailbox ${this.ref}: ${this.imap.folder} was made anew (UIDVALIDITY ${uidvalidity}); mail since ${cursor.backlogSince} is compared with what is known`,
      );
    while (!this.stopping) {
      const search = nextSearch(cursor);
      const uids = toTake(await this.search(client, search), cursor);
      await this.takeAll(client, uidvalidity, uids);
      if (this.stopping) return;
      // All of the backlog that is wanted has been taken: on with what is new.
      const passed = search.since === undefined ? uids.at(-1) : cursor.backlogUntil;
      if (passed === undefined) break;
      if (search.since !== undefined) await this.parts.log.transaction('email', (tx) => passUid(tx, this.folder, uidvalidity, passed));
      cursor = { ...cursor, lastUid: passed };
    }
    if (performance.now() >= this.sweepsAt) await this.sweep(client, cursor);
  }

  private async search(client: ImapFlow, query: { uid: string; since?: string }): Promise<number[]> {
    const found = await client.search(query, { uid: true });
    // `false` is "could not", which is not "nothing".
    if (!Array.isArray(found)) throw new Error(`${this.imap.host} did not answer a search`);
    return found;
  }

  private async takeAll(client: ImapFlow, uidvalidity: number, uids: readonly number[]): Promise<void> {
    for (let rest = uids; rest.length > 0 && !this.stopping;) {
      const batch = nextBatch(this.doubt, rest);
      if (isHopeless(this.doubt, batch) && (await this.handsOutOthers(client, batch[0]!))) await this.keepUnreadable(uidvalidity, batch[0]!);
      else await this.take(client, uidvalidity, batch);
      rest = rest.slice(batch.length);
    }
  }

  /** Keeps mails in the order of their UIDs, so that the cursor passes none that is not kept. */
  private async take(client: ImapFlow, uidvalidity: number, uids: readonly number[]): Promise<void> {
    // Most mails are whole after one question; of large ones this is the beginning.
    const { mails, gone } = await this.fetch(client, uids, HEAD_BYTES);
    for (const group of groupWhole(mails, (mail) => mail.source!.length < HEAD_BYTES)) {
      if (this.stopping) return;
      const [{ uid, source, size = 0 }] = group as [FetchMessageObject];
      if (source!.length < HEAD_BYTES || size > this.parts.maxBytes) {
        await this.keep(uidvalidity, group);
        continue;
      }
      const large = await this.fetch(client, [uid], this.parts.maxBytes);
      gone.push(...large.gone);
      await this.keep(uidvalidity, large.mails);
    }
    await this.keep(uidvalidity, [], gone);
  }

  /** Fetches the beginnings of mails, and tells which were gone. Throws when the server keeps one back that it still has. */
  private async fetch(client: ImapFlow, uids: readonly number[], maxLength: number): Promise<{ mails: FetchMessageObject[]; gone: number[] }> {
    try {
      const query = { uid: true, size: true, internalDate: true, source: { start: 0, maxLength } };
      const found = new Map((await client.fetchAll(uids.join(','), query, { uid: true })).filter(({ source }) => source).map((mail) => [mail.uid, mail]));
      const missing = uids.filter((uid) => !found.has(uid));
      const still = missing.length === 0 ? [] : await this.search(client, { uid: missing.join(',') });
      if (missing.some((uid) => still.includes(uid))) throw new Error(`${this.imap.host} does not hand out mail that it has`);
      return { mails: uids.flatMap((uid) => found.get(uid) ?? []), gone: missing };
    } catch (error) {
      this.doubt = afterFailure(this.doubt, uids);
      throw error;
    }
  }

  private async keep(uidvalidity: number, mails: readonly FetchMessageObject[], gone: readonly number[] = []): Promise<void> {
    if (mails.length === 0 && gone.length === 0) return;
    const dates = mails.flatMap(({ internalDate }) => dateOf(internalDate) ?? []);
    const newest = dates.length > 0 ? new Date(Math.max(...dates.map(Number))) : undefined;
    const taken = { uids: mails.map(({ uid }) => uid), vanished: gone, newest };
    await this.receive(
      uidvalidity,
      taken,
      mails.map((mail) => this.itemOf(mail)),
    );
  }

  /** Whether the server hands out any other mail. If not, it is the server that is ill, and not the mail. */
  private async handsOutOthers(client: ImapFlow, bad: number): Promise<boolean> {
    const others = (await this.search(client, { uid: '1:*' })).filter((uid) => uid !== bad).slice(-PROBES);
    if (others.length === 0) return false;
    const mails = await client.fetchAll(others.join(','), { uid: true, source: { start: 0, maxLength: 1 } }, { uid: true });
    return mails.some(({ source }) => source);
  }

  /** Makes a contact of a mail that the server cannot hand out: somebody must look into the mailbox, and the mails behind it come through. */
  private async keepUnreadable(uidvalidity: number, uid: number): Promise<void> {
    this.parts.logger.error(
      `mailbox ${this.ref}: ${this.imap.host} cannot hand out mail ${uid} of ${this.imap.folder}; it is passed over, and an empty contact stands for it`,
    );
    const dedupeKey = `imap:${this.imap.folder}:${uidvalidity}:${uid}`;
    const item: RawItem = { accountRef: this.ref, dedupeKey, mediaType: 'message/rfc822', body: Buffer.alloc(0), meta: {}, receivedAt: new Date() };
    await this.receive(uidvalidity, { uids: [uid], vanished: [], newest: undefined }, [item]);
  }

  private async receive(uidvalidity: number, taken: Taken, items: readonly RawItem[]): Promise<void> {
    await this.parts.intake.receive(items, (tx, received) => moveCursor(tx, this.folder, uidvalidity, taken, received));
    this.current = { ...this.current, taken: this.current.taken + items.length };
  }

  private itemOf({ source, size, internalDate }: FetchMessageObject): RawItem {
    const body = source!;
    const cut = (size ?? 0) > this.parts.maxBytes || body.length === this.parts.maxBytes;
    const arrivedAt = dateOf(internalDate)?.toISOString();
    const meta: MailMeta = { ...(arrivedAt !== undefined && { arrivedAt }), ...(cut && { cut }) };
    return { accountRef: this.ref, dedupeKey: mailKey(body), mediaType: 'message/rfc822', body, meta, receivedAt: new Date() };
  }

  /** Looks for mail of the last days that was passed over. There should be none. */
  private async sweep(client: ImapFlow, { uidvalidity, lastUid, backlogUntil }: Cursor): Promise<void> {
    const since = new Date(Date.now() - SWEEP_DAYS * 24 * 3_600_000).toISOString().slice(0, 10);
    const found = (await this.search(client, { uid: `${backlogUntil + 1}:*`, since })).filter((uid) => uid > backlogUntil && uid <= lastUid);
    const missed = await neverTaken(this.parts.log, this.folder, uidvalidity, found);
    await this.takeAll(client, uidvalidity, missed);
    if (missed.length > 0) {
      this.current = { ...this.current, swept: this.current.swept + missed.length };
      this.parts.logger.error(`mailbox ${this.ref}: ${missed.length} mails had been passed over; they are taken now`);
    }
    this.sweepsAt = performance.now() + SWEEP_EVERY_MS;
  }
}

/** The same bytes in the same mailbox are the same mail, whatever UID or connection they come by. */
export function mailKey(source: Buffer): string {
  return `mail:${createHash('sha256').update(source).digest('hex')}`;
}

function dateOf(value: Date | string | undefined): Date | undefined {
  const date = value === undefined ? undefined : new Date(value);
  return date && !Number.isNaN(date.getTime()) ? date : undefined;
}
