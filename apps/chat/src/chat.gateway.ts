import type { IncomingMessage } from 'node:http';
import type { OnModuleDestroy } from '@nestjs/common';
import { WebSocketGateway, type OnGatewayConnection, type OnGatewayInit } from '@nestjs/websockets';
import { DomainError } from '@tierline/service';
import type { VerifyClientCallbackAsync, WebSocket, WebSocketServer } from 'ws';
import { ChatService } from './chat.service.ts';
import { MAX_FRAME_BYTES } from './frames.ts';
import { MessagesService } from './messages.service.ts';
import { PushWorker } from './push.worker.ts';
import { VisitorConnection, type Reception } from './visitor-connection.worker.ts';

/** Tabs of one visitor. */
const MAX_CONNECTIONS = 10;

/** The door for WebSockets. The protocol is in this app's README. */
@WebSocketGateway({ path: '/chat/v1/socket', maxPayload: MAX_FRAME_BYTES })
export class ChatGateway implements OnGatewayInit<WebSocketServer>, OnGatewayConnection<WebSocket>, OnModuleDestroy {
  private readonly connections = new Set<VisitorConnection>();
  private stopping = false;

  constructor(
    private readonly chat: ChatService,
    private readonly messages: MessagesService,
    private readonly push: PushWorker,
  ) {}

  /** A WebSocket has no CORS: pages of other sites are refused here, at the upgrade. */
  afterInit(server: WebSocketServer): void {
    const mayConnect: VerifyClientCallbackAsync = ({ req, origin }, answer) => {
      if (this.stopping) refuse(answer, 503, 'process.draining', 'this process is stopping; try again');
      else if (this.chat.isAllowed(origin, siteOf(req))) answer(true);
      else refuse(answer, 403, 'origin.forbidden', 'pages of this origin may not chat with this site');
    };
    server.options.verifyClient = mayConnect;
  }

  handleConnection(socket: WebSocket, request: IncomingMessage): void {
    // Nest's adapter would log as our error whatever a client does wrong.
    socket.removeAllListeners('error').on('error', () => undefined);
    const site = siteOf(request);
    const reception: Reception = {
      greet: async ({ token, since }) => {
        const visitor = this.chat.visitorOf(token);
        if (visitor.site !== site) throw new DomainError(401, 'session.invalid', 'the session is of another site');
        return { visitor, since: await this.messages.resume(visitor.conversation, since) };
      },
      join: (joining) => {
        const { conversation } = joining.visitor!;
        if (this.push.listeners(conversation).size >= MAX_CONNECTIONS) {
          throw new DomainError(429, 'session.too_many_sockets', `the session has ${MAX_CONNECTIONS} sockets already`);
        }
        if (socket.readyState !== socket.OPEN) return;
        this.push.add(joining, conversation);
        socket.once('close', () => this.push.remove(joining, conversation));
      },
      waitForFrameMs: (key) => this.chat.waitForFrameMs(key),
      receive: (visitor, messages) => this.chat.receive(visitor, messages),
    };
    const connection = new VisitorConnection(socket, reception);
    this.connections.add(connection);
    socket.once('close', () => void connection.idle().then(() => this.connections.delete(connection)));
  }

  async onModuleDestroy(): Promise<void> {
    this.stopping = true;
    await Promise.all([...this.connections].map((connection) => connection.stop()));
  }
}

function siteOf(request: IncomingMessage): string {
  return new URL(request.url ?? '', 'http://localhost').searchParams.get('site') ?? '';
}

function refuse(answer: Parameters<VerifyClientCallbackAsync>[1], status: number, code: string, detail: string): void {
  const problem = { type: `urn:tierline:${code}`, title: code, status, detail };
  answer(false, status, JSON.stringify(problem), { 'Content-Type': 'application/problem+json' });
}
