import { Injectable, Logger } from '@nestjs/common';
import { Server, type CustomTransportStrategy, type MessageHandler } from '@nestjs/microservices';
import type { Event, Topic } from '@tierline/events';
import { isObservable, lastValueFrom } from 'rxjs';
import { ConsumerGroup, type Handler } from './consumer-group.ts';
import type { HandlerExtras } from './decorators.ts';
import { ensureTopics, logTopics, type EventLog, type LogTransaction } from './event-log.ts';
import { describeHole } from './positions.ts';
import type { EventSource } from './source.ts';

/**
 * Nest's transport over the event log: finds the `@On` handlers of the process, runs one ConsumerGroup for each group named by `@Consumes`,
 * and hands over batches instead of single messages (Nest's own Kafka transport cannot).
 */
@Injectable()
export class EventLogServer extends Server implements CustomTransportStrategy {
  override readonly transportId = Symbol('event-log');
  /** Failures are handled here: Nest need not log them as unhandled as well. */
  override readonly propagatesEventHandlerErrors = true;
  protected override readonly logger = new Logger('EventLog');
  private groups: ConsumerGroup[] = [];

  constructor(
    private readonly log: EventLog,
    private readonly source: EventSource,
  ) {
    super();
  }

  async listen(callback: (error?: unknown) => void): Promise<void> {
    try {
      await ensureTopics(this.log.dataSource, this.log.options.source, logTopics);
      await this.source.start();
      this.groups = this.collectGroups();
      for (const group of this.groups) await group.start();
      callback();
    } catch (error) {
      callback(error);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.groups.map((group) => group.stop()));
    await this.source.stop();
  }

  /** The groups that stand still because an event is missing, for health checks. */
  stalled(): { group: string; reason: string }[] {
    return this.groups.flatMap((group) => group.holes.map((hole) => ({ group: group.name, reason: describeHole(hole) })));
  }

  on(): never {
    throw new Error('the event log has no client events');
  }

  unwrap<T>(): T {
    return this.source as T;
  }

  private collectGroups(): ConsumerGroup[] {
    const groups = new Map<string, { topics: Set<Topic>; handlers: Map<string, Handler> }>();
    for (const [type, first] of this.getHandlers()) {
      // Nest chains the handlers of one pattern; each belongs to the group of its own controller.
      for (let handler: MessageHandler | undefined = first; handler; handler = handler.next as MessageHandler | undefined) {
        const { topics: topicOf, group: groupOf } = handler.extras as unknown as HandlerExtras;
        const name = groupOf();
        if (!name) throw new Error(`the controller that handles ${type} needs @Consumes('<group>')`);
        const group = groups.get(name) ?? { topics: new Set(), handlers: new Map() };
        groups.set(name, group);
        if (group.handlers.has(type)) throw new Error(`group ${name} handles ${type} twice`);
        group.topics.add(topicOf[type] as Topic);
        group.handlers.set(type, this.invoke(handler));
      }
    }
    return [...groups].map(([name, { topics, handlers }]) => new ConsumerGroup(this.log, this.source, { name, topics: [...topics], handlers }, this.logger));
  }

  /** Awaits what Nest makes of a handler's promise, without trusting a tracing hook to pass it on. */
  private invoke(handler: MessageHandler): Handler {
    return (events: Event[], tx: LogTransaction) =>
      new Promise<void>((resolve, reject) => {
        void this.runWithProcessingHooks(tx as never, async (end?: () => void) => {
          try {
            const result = await (handler as (events: Event[], tx: LogTransaction) => Promise<unknown>)(events, tx);
            if (isObservable(result)) await lastValueFrom(result, { defaultValue: undefined });
            end?.();
            resolve();
          } catch (error) {
            end?.();
            reject(error instanceof Error ? error : Object.assign(new Error(String(error)), error as object));
          }
        });
      });
  }
}
