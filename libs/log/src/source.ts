import type { Topic } from '@tierline/events';

/** An event on its way to a group, not decoded yet. */
export interface LogRecord {
  /** The writer whose dense positions `pos` belongs to. */
  readonly source: string;
  readonly topic: string;
  readonly bucket: number;
  readonly pos: number;
  readonly payload: string;
  /** The broker's offset, when it came through a broker. */
  readonly offset?: number;
}

/** Where the events of one group come from, read in order per bucket. A record is taken again after `reset()` until its position is committed. */
export interface Feed {
  /** Up to `maxRecords` that are ready now; none when there are none, or when another process is the owner. */
  take(maxRecords: number): Promise<LogRecord[]>;
  /** Resolves when there may be more, at the latest after `maxMs`. */
  wait(maxMs: number): Promise<void>;
  /** Whether this process owns the bucket, so that it may retry the bucket's failed events. */
  owns(topic: string, bucket: number): boolean;
  /** Wakes `wait`. */
  wake(): void;
  /** Starts over from the committed positions: after a failure, or when another owner was met. */
  reset(): Promise<void>;
  stop(): Promise<void>;
}

/** How the log travels: read where it is written (embedded), or through Kafka. Both give the same guarantees, proved by one suite. */
export interface EventSource {
  open(group: string, topics: readonly Topic[], positions: Positions): Promise<Feed>;
  stop(): Promise<void>;
}

/** How far a group has come, per writer and bucket: a copy of its rows, moved when a transaction that moved the rows has committed. */
export interface Positions {
  last(source: string, topic: string, bucket: number): number;
  all(): readonly { source: string; topic: string; bucket: number; pos: number }[];
  /** Reads the rows again. */
  load(): Promise<void>;
}
