import { Logger } from '@nestjs/common';
import { jest } from '@jest/globals';
import { TicketChanged, TicketMerged } from '@tierline/events';
import { ConsumerGroup, type Handler } from '../src/consumer-group.ts';
import type { EventLog } from '../src/event-log.ts';
import type { Leases } from '../src/lease.ts';
import type { RetryPolicy } from '../src/retry-queue.ts';
import type { EventSource } from '../src/source.ts';
import { openLog, type OpenLog } from './open-log.ts';

/** How the log travels in a run of the suite. */
export interface Travel {
  /** The source of one process. */
  source(log: EventLog, leases: Leases): EventSource;
  /** Puts a payload that is not ours into the topic. */
  inject(log: EventLog, topic: string, payload: string): Promise<void>;
  /** Has everything after position `after` of the stream delivered, whatever of it was delivered before. */
  deliverAgain(log: EventLog, topic: string, bucket: number, after: number): Promise<void>;
  /** Takes the groups of a process that does not answer from it. */
  disown(log: EventLog): Promise<void>;
  /** In how many batches 500 waiting events may come at most. */
  readonly backlogBatches: number;
}

/** What the groups of the suite read. */
export const TOPIC = 'ticket';
const FAST: RetryPolicy = { backoffMs: [20], maxAttempts: 3 };

/** A process: connections, leases and a source of its own. */
export class TestProcess {
  readonly groups: ConsumerGroup[] = [];
  readonly logger = new Logger('Test');
  readonly warnings: string[] = [];

  private constructor(
    private readonly opened: OpenLog,
    readonly source: EventSource,
  ) {
    for (const level of ['warn', 'error'] as const) jest.spyOn(this.logger, level).mockImplementation((message: string) => void this.warnings.push(message));
  }

  static async start(url: string, name: string, travel: Travel): Promise<TestProcess> {
    const opened = await openLog(url, name);
    const source = travel.source(opened.log, opened.leases);
    await source.start();
    return new TestProcess(opened, source);
  }

  get log(): EventLog {
    return this.opened.log;
  }

  async consume(handle: Handler, { group = 'group', retry = FAST }: { group?: string; retry?: RetryPolicy } = {}): Promise<ConsumerGroup> {
    const handlers = new Map([TicketMerged, TicketChanged].map(({ type }) => [type, handle]));
    const consumer = new ConsumerGroup(this.log, this.source, { name: group, topics: [TOPIC], handlers, replayable: true, retry }, this.logger);
    this.groups.push(consumer);
    await consumer.start();
    return consumer;
  }

  async stop(): Promise<void> {
    await Promise.all(this.groups.splice(0).map((group) => group.stop()));
    await this.source.stop();
    await this.opened.close();
  }
}
