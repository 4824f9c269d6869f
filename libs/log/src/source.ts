import type { Event, Topic } from '@tierline/events';

/** The `source` of records that somebody else put into a Kafka topic. Their positions are offsets + 1, and may have gaps. */
export const FOREIGN = 'foreign';

/** An event on its way to a group, not decoded yet. */
export interface LogRecord {
  /** The writer whose dense positions `pos` belongs to, or FOREIGN. */
  readonly source: string;
  readonly topic: string;
  readonly bucket: number;
  readonly pos: number;
  readonly payload: string;
  /** Decoded, once a group has wanted it: groups of one process share it, and none may change it. */
  event?: Event;
  /** The broker's offset, when it came through a broker. */
  readonly offset?: number;
}

/** Where the events of one group come from, read in order per writer and bucket. */
export interface Feed {
  /** Up to `maxRecords` that are ready now, each once; none when there are none, or when another process is the owner. */
  take(maxRecords: number): Promise<LogRecord[]>;
  /** Resolves when there may be more, at the latest after `maxMs`. */
  wait(maxMs: number): Promise<void>;
  /** Wakes `wait`. */
  wake(): void;
  /** Whether this process owns the bucket, so that it may retry the bucket's failed events. */
  owns(topic: string, bucket: number): boolean;
  /** Takes everything after the committed positions again: after a failure, or when another owner was met. */
  rewind(): void;
  /** How many events wait, by topic, in what this process owns. */
  lag(): Promise<ReadonlyMap<string, number>>;
  stop(): Promise<void>;
}

/** How the log travels: read where it is written (embedded), or through Kafka. Both give the same guarantees, proved by one suite (test/contract.ts). */
export interface EventSource {
  start(): Promise<void>;
  open(group: string, topics: readonly Topic[], progress: Progress): Promise<Feed>;
  /** After the feeds. */
  stop(): Promise<void>;
}

/** How far a group has come: what a feed reads from. A feed that becomes the owner of something loads it before it hands out anything. */
export interface Progress {
  /** The last position handled of what `source` wrote; 0 before the first. */
  last(source: string, topic: string, bucket: number): number;
  /** The first offset of a Kafka partition that is not done with yet. */
  nextOffset(topic: string, bucket: number): number;
  /** Whether a position is missing: everything after it is passed over until it comes. */
  isStuck(source: string, topic: string, bucket: number): boolean;
  /** Reads it all from the database. */
  load(): Promise<void>;
}
