import { Inject, type OnModuleDestroy } from '@nestjs/common';
import { WebSocketGateway, type OnGatewayConnection, type OnGatewayDisconnect, type OnGatewayInit } from '@nestjs/websockets';
import { Accounts } from '@tierline/channel';
import { newId } from '@tierline/events';
import { PROCESS_CONFIG, type ProcessConfig } from '@tierline/service';
import type { IncomingMessage } from 'node:http';
import type { Server, VerifyClientCallbackAsync, WebSocket } from 'ws';
import { ChatService } from './chat.service.ts';
import type { ChatSite } from './configuration.ts';
import { MAX_FRAME_BYTES } from './frames.ts';
import { VisitorConnection } from './visitor-connection.ts';

const CHECK_EVERY_MS = 25_000;
/** What another process has kept is seen this much later. */
const POLL_MS = 1_000;
/** Tabs of one visitor. */
const MAX_CONNECTIONS = 10;

/** The visitors' connections, and which of them hear of a conversation. The protocol is in the README of this app. */
@WebSocketGateway({ path: '/chat/v1/socket', maxPayload: MAX_FRAME_BYTES })
export class ChatGateway implements OnGatewayInit<Server>, OnGatewayConnection<WebSocket>, OnGatewayDisconnect<WebSocket>, OnModuleDestroy {
  private readonly connections = new Map<WebSocket, VisitorConnection>();
  private readonly byConversation = new Map<string, Set<VisitorConnection>>();
  private readonly timers: NodeJS.Timeout[];

  constructor(
    private readonly chat: ChatService,
    private readonly accounts: Accounts<ChatSite>,
    @Inject(PROCESS_CONFIG) private readonly config: ProcessConfig,
  ) {
    chat.onKept((message) => {
      for (const connection of this.byConversation.get(message.conversation) ?? []) connection.offer(message);
    });
    this.timers = [setInterval(() => this.check(), CHECK_EVERY_MS).unref(), setInterval(() => void this.poll().catch(() => undefined), POLL_MS).unref()];
  }

  /** Refuses at the upgrade who asks for no site of ours, or from a page that is not of the site. */
  afterInit(server: Server): void {
    const mayConnect: VerifyClientCallbackAsync = ({ req }, answer) => {
      const site = this.accounts.get(siteOf(req));
      const { origin } = req.headers;
      // Who is not a browser sends no Origin, or any: the check keeps other pages from using a visitor's browser.
      answer(site !== undefined && (origin === undefined || site.origins.includes(origin)), 403);
    };
    server.options.verifyClient = mayConnect;
  }

  handleConnection(socket: WebSocket, request: IncomingMessage): void {
    const site = siteOf(request);
    const connection = new VisitorConnection(socket, {
      chat: this.chat,
      site,
      brand: this.accounts.get(site)?.brand,
      secret: this.config.TIERLINE_SECRET!,
      clock: () => performance.now(),
      newConversation: newId,
      joined: (joining) => this.join(joining),
    });
    this.connections.set(socket, connection);
  }

  handleDisconnect(socket: WebSocket): void {
    const connection = this.connections.get(socket);
    this.connections.delete(socket);
    const { conversation } = connection ?? {};
    if (conversation === undefined) return;
    const others = this.byConversation.get(conversation);
    others?.delete(connection!);
    if (others?.size === 0) this.byConversation.delete(conversation);
  }

  onModuleDestroy(): void {
    for (const timer of this.timers) clearInterval(timer);
    // 1012: service restart. The clients come back and resume.
    for (const socket of this.connections.keys()) socket.close(1012);
  }

  private join(connection: VisitorConnection): boolean {
    const conversation = connection.conversation!;
    const others = this.byConversation.get(conversation) ?? new Set();
    if (others.size >= MAX_CONNECTIONS) return false;
    this.byConversation.set(conversation, others.add(connection));
    return true;
  }

  private check(): void {
    for (const connection of this.connections.values()) connection.check();
  }

  /** Finds what other processes have kept for visitors who are connected here. */
  private async poll(): Promise<void> {
    if (this.byConversation.size === 0) return;
    for (const [conversation, seq] of await this.chat.lastSeqs([...this.byConversation.keys()])) {
      for (const connection of this.byConversation.get(conversation) ?? []) connection.reached(seq);
    }
  }
}

function siteOf(request: IncomingMessage): string {
  return new URL(request.url ?? '', 'http://localhost').searchParams.get('site') ?? '';
}
