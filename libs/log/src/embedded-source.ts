import type { Topic } from '@tierline/events';
import { BUCKETS } from './bucket.ts';
import type { EventLog, Stream } from './event-log.ts';
import type { Leases } from './lease.ts';
import type { EventSource, Feed, LogRecord, Progress } from './source.ts';
import { Wakeup } from './wakeup.ts';

/** How often a group that is not the owner asks whether it may become it. */
const ACQUIRE_EVERY_MS = 500;

/** Reads the log where it is written. Appends of this process wake the reader; those of others are found by polling. */
export class EmbeddedSource implements EventSource {
  private readonly feeds = new Set<EmbeddedFeed>();
  private stopListening: (() => void) | undefined;

  constructor(
    private readonly log: EventLog,
    private readonly leases: Leases,
  ) {}

  async start(): Promise<void> {
    this.stopListening = this.log.onAppend((streams) => {
      for (const feed of this.feeds) if (streams.some(({ topic }) => feed.topics.has(topic))) feed.wake();
    });
  }

  async open(group: string, topics: readonly Topic[], progress: Progress): Promise<Feed> {
    const feed = new EmbeddedFeed(this.log, this.leases, group, new Set(topics), progress);
    this.feeds.add(feed);
    return feed;
  }

  async stop(): Promise<void> {
    this.stopListening?.();
    this.feeds.clear();
  }
}

class EmbeddedFeed implements Feed {
  private readonly wakeup = new Wakeup();
  private readonly lease: string;
  private readonly streams: readonly Stream[];
  /** The stream that the next read begins with. */
  private turn = 0;
  private owner = false;
  private asksAgainAt = 0;

  constructor(
    private readonly log: EventLog,
    private readonly leases: Leases,
    group: string,
    readonly topics: ReadonlySet<string>,
    private readonly progress: Progress,
  ) {
    this.lease = `group:${group}`;
    this.streams = [...topics].flatMap((topic) => Array.from({ length: BUCKETS }, (_, bucket) => ({ topic, bucket })));
  }

  async take(maxRecords: number): Promise<LogRecord[]> {
    if (!(await this.isOwner())) return [];
    // What was appended until now is seen by the read that follows.
    this.wakeup.clear();
    const { source } = this.log.options;
    const count = this.streams.length;
    const cursors = this.streams.map((_, i) => {
      const { topic, bucket } = this.streams[(this.turn + i) % count]!;
      // Behind a hole one is enough to see that it is still there.
      return { topic, bucket, after: this.progress.last(source, topic, bucket), maxRecords: this.progress.isStuck(source, topic, bucket) ? 1 : maxRecords };
    });
    const events = await this.log.read(cursors, maxRecords);
    const last = events.at(-1);
    if (last && events.length === maxRecords)
      this.turn = (this.streams.findIndex(({ topic, bucket }) => topic === last.topic && bucket === last.bucket) + 1) % count;
    return events.map(({ topic, bucket, pos, payload }) => ({ source, topic, bucket, pos, payload }));
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
    // Every take begins at the committed positions.
  }

  async lag(): Promise<ReadonlyMap<string, number>> {
    if (!this.owns()) return new Map();
    const rows = await this.log.dataSource.query<{ topic: string; bucket: number; last: number }[]>(
      `SELECT topic, bucket, (next - 1)::float8 AS last FROM ${this.log.schema}.log_head WHERE topic = ANY($1)`,
      [[...this.topics]],
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
    this.owner = true;
    this.asksAgainAt = 0;
    return true;
  }
}
