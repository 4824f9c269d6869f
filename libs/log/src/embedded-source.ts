import type { Topic } from '@tierline/events';
import { BUCKETS } from './bucket.ts';
import type { EventLog } from './event-log.ts';
import type { Leases } from './lease.ts';
import type { EventSource, Feed, LogRecord, Positions } from './source.ts';
import { Wakeup } from './wakeup.ts';

/** How often a group that is not the owner asks whether it may become it. */
const ACQUIRE_EVERY_MS = 500;

/** Reads the log where it is written. Appends of this process wake the reader; those of others are found by polling. */
export class EmbeddedSource implements EventSource {
  private readonly feeds = new Set<EmbeddedFeed>();
  private readonly stopListening: () => void;

  constructor(
    private readonly log: EventLog,
    private readonly leases: Leases,
  ) {
    this.stopListening = log.onAppend((topics) => {
      for (const feed of this.feeds) if (feed.topics.some((topic) => topics.has(topic))) feed.wake();
    });
  }

  async open(group: string, topics: readonly Topic[], positions: Positions): Promise<Feed> {
    const feed = new EmbeddedFeed(this.log, this.leases, group, topics, positions);
    this.feeds.add(feed);
    return Promise.resolve(feed);
  }

  async stop(): Promise<void> {
    this.stopListening();
    this.feeds.clear();
    return Promise.resolve();
  }
}

class EmbeddedFeed implements Feed {
  private readonly wakeup = new Wakeup();
  private readonly lease: string;
  private owner = false;
  private asksAgainAt = 0;

  constructor(
    private readonly log: EventLog,
    private readonly leases: Leases,
    group: string,
    readonly topics: readonly Topic[],
    private readonly positions: Positions,
  ) {
    this.lease = `group:${group}`;
  }

  async take(maxRecords: number): Promise<LogRecord[]> {
    if (!(await this.isOwner())) return [];
    const source = this.log.options.source;
    const topics: string[] = [];
    const buckets: number[] = [];
    const positions: number[] = [];
    for (const topic of this.topics) {
      for (let bucket = 0; bucket < BUCKETS; bucket++) {
        topics.push(topic);
        buckets.push(bucket);
        positions.push(this.positions.last(source, topic, bucket));
      }
    }
    const rows = await this.log.read(topics, buckets, positions, maxRecords);
    return rows.map((row) => ({ source, topic: row.topic, bucket: row.bucket, pos: Number(row.pos), payload: row.payload }));
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

  async reset(): Promise<void> {
    await this.positions.load();
  }

  async stop(): Promise<void> {
    await this.leases.release(this.lease);
  }

  /** A group that becomes the owner reads its positions anew: somebody else may have moved them. */
  private async isOwner(): Promise<boolean> {
    if (this.leases.holds(this.lease)) return this.owner;
    this.owner = false;
    if (performance.now() < this.asksAgainAt) return false;
    this.asksAgainAt = performance.now() + ACQUIRE_EVERY_MS;
    if (!(await this.leases.acquire(this.lease))) return false;
    await this.positions.load();
    this.owner = true;
    this.asksAgainAt = 0;
    return true;
  }
}
