import type { Topic } from '@tierline/events';
import { BUCKETS } from './bucket.ts';
import type { AppendedRun, EventLog, Stream } from './event-log.ts';
import type { Leases } from './lease.ts';
import type { EventSource, Feed, LogRecord, Progress } from './source.ts';
import { Wakeup } from './wakeup.ts';

/** How often a group that is not the owner asks whether it may become it. */
const ACQUIRE_EVERY_MS = 500;
/** What other processes append is looked for often when some was found, rarely when not. */
const MIN_POLL_MS = 10;
const MAX_POLL_MS = 250;
/** What this process appends is kept for a group, unless so much waits for it already: then it is read back when its turn comes. */
const MAX_WAITING_CHARS = 8_000_000;

/** Reads the log where it is written. What this process appends goes to its groups from memory; what others append is found by polling. */
export class EmbeddedSource implements EventSource {
  private readonly feeds = new Set<EmbeddedFeed>();
  private stopListening: (() => void) | undefined;

  constructor(
    private readonly log: EventLog,
    private readonly leases: Leases,
  ) {}

  async start(): Promise<void> {
    this.stopListening = this.log.onAppend((runs) => {
      for (const run of runs) this.handOut(run);
    });
  }

  async open(group: string, topics: readonly Topic[], progress: Progress): Promise<Feed> {
    const feed = new EmbeddedFeed(this.log, this.leases, group, topics, progress);
    this.feeds.add(feed);
    return feed;
  }

  async stop(): Promise<void> {
    this.stopListening?.();
    this.feeds.clear();
  }

  /** The groups get the same records, so that each event is decoded once. */
  private handOut({ topic, bucket, first, events }: AppendedRun): void {
    const { source } = this.log.options;
    const records = events.map(({ payload }, i): LogRecord => ({ source, topic, bucket, pos: first + i, payload }));
    for (const feed of this.feeds) feed.takeUp({ topic, bucket }, records);
  }
}

/** What waits of one stream. Positions only grow, except when the group starts over: end ≤ last. */
interface Inbox extends Stream {
  waiting: LogRecord[];
  /** The last position that was taken up: handed out, or waiting. */
  end: number;
  /** The last position that there is, as far as we know. */
  last: number;
}

class EmbeddedFeed implements Feed {
  private readonly wakeup = new Wakeup();
  private readonly lease: string;
  private readonly inboxes: readonly Inbox[];
  private readonly byName: ReadonlyMap<string, Inbox>;
  private waitingChars = 0;
  /** The inbox that the next take begins with. */
  private turn = 0;
  private owner = false;
  private asksAgainAt = 0;
  private pollMs = MIN_POLL_MS;
  private pollsAt = 0;

  constructor(
    private readonly log: EventLog,
    private readonly leases: Leases,
    group: string,
    private readonly topics: readonly Topic[],
    private readonly progress: Progress,
  ) {
    this.lease = `group:${group}`;
    this.inboxes = topics.flatMap((topic) => Array.from({ length: BUCKETS }, (_, bucket) => ({ topic, bucket, waiting: [], end: 0, last: 0 })));
    this.byName = new Map(this.inboxes.map((inbox) => [nameOf(inbox), inbox]));
  }

  /** Takes records from memory where they follow what was taken up before. Else the position says that there are some to be read. */
  takeUp(stream: Stream, records: readonly LogRecord[]): void {
    const inbox = this.byName.get(nameOf(stream));
    if (!inbox) return;
    this.wake();
    const { end, last } = inbox;
    inbox.last = Math.max(last, records.at(-1)!.pos);
    if (!this.owner || last !== end || records[0]!.pos !== end + 1 || this.waitingChars > MAX_WAITING_CHARS) return;
    this.put(inbox, records);
  }

  async take(maxRecords: number): Promise<LogRecord[]> {
    if (!(await this.isOwner())) return [];
    // What was appended until now is handed out, or seen by the read that follows.
    this.wakeup.clear();
    // Behind a hole nothing is taken up, or what fills it would not be seen.
    for (const inbox of this.inboxes) if (this.isStuck(inbox)) this.empty(inbox);
    const inTurn = [...this.inboxes.slice(this.turn), ...this.inboxes.slice(0, this.turn)];
    await this.readMissing(inTurn, maxRecords);
    const taken: LogRecord[] = [];
    for (const inbox of inTurn) {
      taken.push(...inbox.waiting.splice(0, maxRecords - taken.length));
      if (taken.length < maxRecords) continue;
      this.turn = (this.inboxes.indexOf(inbox) + 1) % this.inboxes.length;
      break;
    }
    for (const { payload } of taken) this.waitingChars -= payload.length;
    return taken;
  }

  async wait(maxMs: number): Promise<void> {
    await this.wakeup.wait(maxMs);
  }

  wake(): void {
    this.wakeup.wake();
  }

  owns(): boolean {
    return this.leases.holds(this.lease);
  }

  rewind(): void {
    for (const inbox of this.inboxes) this.empty(inbox);
    this.pollsAt = 0;
  }

  async lag(): Promise<ReadonlyMap<string, number>> {
    if (!this.owns()) return new Map();
    const rows = await this.log.dataSource.query<{ topic: string; bucket: number; last: number }[]>(
      `SELECT topic, bucket, (next - 1)::float8 AS last FROM ${this.log.schema}.log_head WHERE topic = ANY($1)`,
      [this.topics],
    );
    const lag = new Map<string, number>();
    for (const { topic, bucket, last } of rows) lag.set(topic, (lag.get(topic) ?? 0) + last - this.progress.last(this.log.options.source, topic, bucket));
    return lag;
  }

  async stop(): Promise<void> {
    await this.leases.release(this.lease);
  }

  /** A group that becomes the owner reads its progress anew: somebody else may have moved it. */
  private async isOwner(): Promise<boolean> {
    if (this.leases.holds(this.lease)) return this.owner;
    this.owner = false;
    if (performance.now() < this.asksAgainAt) return false;
    this.asksAgainAt = performance.now() + ACQUIRE_EVERY_MS;
    if (!(await this.leases.acquire(this.lease))) return false;
    await this.progress.load();
    this.rewind();
    this.owner = true;
    this.asksAgainAt = 0;
    return true;
  }

  /** Reads what was appended by others, before we became the owner, or was too much to keep. */
  private async readMissing(inboxes: readonly Inbox[], maxRecords: number): Promise<void> {
    const polls = performance.now() >= this.pollsAt;
    const behind = inboxes.filter(({ waiting, end, last }) => waiting.length === 0 && (polls || end < last));
    if (behind.length === 0) return;
    // Behind a hole one is enough to see that it is still there.
    const cursors = behind.map((inbox) => ({ topic: inbox.topic, bucket: inbox.bucket, after: inbox.end, maxRecords: this.isStuck(inbox) ? 1 : maxRecords }));
    const { source } = this.log.options;
    const events = await this.log.read(cursors, maxRecords);
    for (const { topic, bucket, pos, payload } of events) {
      const inbox = this.byName.get(nameOf({ topic, bucket }))!;
      // Appended while we read, and taken up already.
      if (pos <= inbox.end) continue;
      this.put(inbox, [{ source, topic, bucket, pos, payload }]);
      inbox.last = Math.max(inbox.last, pos);
    }
    if (!polls) return;
    this.pollMs = events.length > 0 ? MIN_POLL_MS : Math.min(this.pollMs * 2, MAX_POLL_MS);
    this.pollsAt = events.length === maxRecords ? 0 : performance.now() + this.pollMs;
  }

  private put(inbox: Inbox, records: readonly LogRecord[]): void {
    for (const record of records) {
      inbox.waiting.push(record);
      this.waitingChars += record.payload.length;
    }
    inbox.end = records.at(-1)!.pos;
  }

  /** Back to where the group has come. */
  private empty(inbox: Inbox): void {
    for (const { payload } of inbox.waiting) this.waitingChars -= payload.length;
    inbox.waiting = [];
    inbox.end = this.progress.last(this.log.options.source, inbox.topic, inbox.bucket);
    inbox.last = Math.max(inbox.last, inbox.end);
  }

  private isStuck({ topic, bucket }: Stream): boolean {
    return this.progress.isStuck(this.log.options.source, topic, bucket);
  }
}

const nameOf = ({ topic, bucket }: Stream): string => `${topic}/${bucket}`;
