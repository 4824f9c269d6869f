import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Wakeup } from '@tierline/log';
import type { ChatMessage } from './frames.ts';
import { MessagesService } from './messages.service.ts';
import type { VisitorConnection } from './visitor-connection.worker.ts';

/** How old what another process has kept may be when it is seen here. */
const POLL_MS = 250;
/** Asking for everybody takes at most this share of the time, however many they are. */
const POLL_SHARE = 0.05;
/** Connections of one query, and messages for each: what one answer of the database can be. */
const MAX_CONNECTIONS = 500;
const PAGE = 20;

/**
 * Gives connections what comes in their conversations: what this process keeps at once, the rest by asking. It reads the database wherever there could be a gap,
 * so each connection gets every message once and in order.
 */
@Injectable()
export class PushWorker implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('Chat');
  private readonly byConversation = new Map<string, Set<VisitorConnection>>();
  private readonly behind = new Set<VisitorConnection>();
  private readonly wakeup = new Wakeup();
  private running: Promise<void> | undefined;
  private stopping = false;
  private pollsAt = 0;

  constructor(private readonly messages: MessagesService) {
    messages.onKept((kept) => {
      for (const message of kept) this.offer(message);
    });
  }

  add(connection: VisitorConnection, conversation: string): void {
    this.byConversation.set(conversation, this.listeners(conversation).add(connection));
    this.catchUp(connection);
  }

  remove(connection: VisitorConnection, conversation: string): void {
    const listeners = this.listeners(conversation);
    listeners.delete(connection);
    if (listeners.size === 0) this.byConversation.delete(conversation);
    this.behind.delete(connection);
  }

  listeners(conversation: string): Set<VisitorConnection> {
    return this.byConversation.get(conversation) ?? new Set();
  }

  onApplicationBootstrap(): void {
    this.running = this.run();
  }

  async onModuleDestroy(): Promise<void> {
    this.stopping = true;
    this.wakeup.wake();
    await this.running;
  }

  private offer(message: ChatMessage): void {
    for (const connection of this.listeners(message.conversation)) {
      if (message.seq === connection.after + 1 && connection.hasRoom()) connection.give(message);
      else if (message.seq > connection.after) this.catchUp(connection);
    }
  }

  private catchUp(connection: VisitorConnection): void {
    this.behind.add(connection);
    this.wakeup.wake();
  }

  private async run(): Promise<void> {
    while (!this.stopping) {
      try {
        if (performance.now() >= this.pollsAt) await this.poll();
        else await this.read([...this.behind]);
      } catch (error) {
        this.logger.warn(`messages cannot be read: ${error instanceof Error ? error.message : String(error)}; trying again`);
        this.pollsAt = performance.now() + POLL_MS;
        this.behind.clear();
      }
      if (!this.stopping) await this.wakeup.wait(Math.max(0, this.pollsAt - performance.now()));
    }
  }

  private async poll(): Promise<void> {
    const startedAt = performance.now();
    await this.read([...this.byConversation.values()].flatMap((connections) => [...connections]));
    const tookMs = performance.now() - startedAt;
    this.pollsAt = performance.now() + Math.max(POLL_MS, tookMs / POLL_SHARE);
  }

  private async read(connections: readonly VisitorConnection[]): Promise<void> {
    for (let first = 0; first < connections.length; first += MAX_CONNECTIONS) {
      // Those without room are asked again by the next poll.
      const asked = connections.slice(first, first + MAX_CONNECTIONS).filter((connection) => connection.hasRoom());
      for (const connection of connections.slice(first, first + MAX_CONNECTIONS)) this.behind.delete(connection);
      if (asked.length === 0) continue;
      const found = await this.messages.after(
        asked.map(({ visitor, after }) => ({ conversation: visitor!.conversation, after })),
        PAGE,
      );
      asked.forEach((connection, index) => this.give(connection, found[index]!));
    }
  }

  private give(connection: VisitorConnection, messages: readonly ChatMessage[]): void {
    for (const message of messages) {
      // What was kept here meanwhile may have been given already.
      if (message.seq <= connection.after) continue;
      if (!connection.hasRoom()) return;
      connection.give(message);
    }
    if (messages.length === PAGE) this.catchUp(connection);
  }
}
