import { Injectable, Logger } from '@nestjs/common';
import { Server, type CustomTransportStrategy, type MessageHandler } from '@nestjs/microservices';
import type { Event, Topic } from '@tierline/events';
import { isObservable, lastValueFrom } from 'rxjs';
import { ConsumerGroup, type Handler } from './consumer-group.ts';
import type { HandlerExtras } from './decorators.ts';
import { UnknownGroupError } from './errors.ts';
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
  private readonly handlers: { type: string; handler: MessageHandler; extras: HandlerExtras }[] = [];
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

  /** Brings the gauges of the groups up to date (prom-client's default registry). */
  async measure(): Promise<void> {
    for (const group of this.groups) await group.measure();
  }

  /**
   * Has a group handle everything after position `after` of each bucket again, its failed events included. Instances that are idle begin with their
   * next event. Throws UnknownGroupError or NotReplayableError.
   */
  async replay(name: string, after: number, actor: string): Promise<void> {
    const group = this.groups.find((one) => one.name === name);
    if (!group) throw new UnknownGroupError(name);
    await group.replay(after, actor);
  }

  /**
   * Nest would chain the handlers of one event type, and calling the first runs them all: with several groups in a process each would do the others' work.
   * Here every handler stands by itself, in the group of its own controller.
   */
  override addHandler(type: string, handler: MessageHandler, _isEventHandler?: boolean, extras?: Record<string, unknown>): void {
    this.handlers.push({ type, handler, extras: extras as unknown as HandlerExtras });
  }

  on(): never {
    throw new Error('the event log has no client events');
  }

  unwrap<T>(): T {
    return this.source as T;
  }

  private collectGroups(): ConsumerGroup[] {
    const groups = new Map<string, { replayable: boolean; topics: Set<Topic>; handlers: Map<string, Handler> }>();
    for (const { type, handler, extras } of this.handlers) {
      const { group: name, replayable } = extras.consuming() ?? {};
      if (!name) throw new Error(`the controller that handles ${type} needs @Consumes('<group>')`);
      const group = groups.get(name) ?? { replayable: true, topics: new Set(), handlers: new Map() };
      groups.set(name, group);
      if (group.handlers.has(type)) throw new Error(`group ${name} handles ${type} twice`);
      group.replayable &&= replayable === true;
      group.topics.add(extras.topics[type] as Topic);
      group.handlers.set(type, this.invoke(handler));
    }
    return [...groups].map(([name, { topics, ...group }]) => new ConsumerGroup(this.log, this.source, { name, topics: [...topics], ...group }, this.logger));
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
