import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { isConnectionError } from '@tierline/log';
import { DomainError } from '@tierline/service';
import type { WebSocket } from 'ws';
import {
  readFrame,
  shown,
  type AckFrame,
  type ChatMessage,
  type ClientFrame,
  type ErrorFrame,
  type Hello,
  type ServerFrame,
  type VisitorMessage,
} from './frames.ts';
import type { Visitor } from './visitor.ts';

/** Frames that wait to be read; then the socket waits. */
const MAX_WAITING = 30;
/** Missed pings in a row that mean nobody is there, whatever TCP believes. */
const MAX_MISSED_PINGS = 2;

export const CONNECTION_LIMITS = {
  /** A client that has not said who it is by then is none of ours. */
  helloMs: 10_000,
  /** Proxies cut a connection that is silent for a minute. */
  pingMs: 25_000,
  /** What lies here for a client that does not take it. The rest stays in the database. */
  maxBufferedBytes: 256 * 1024,
  /** How long it may lie. */
  stalledMs: 10_000,
};

/** Who is behind the door that a socket came through. */
export interface Reception {
  /** Says who it is and where to go on. Throws a DomainError when it may not come in. */
  greet(hello: Hello): Promise<{ visitor: Visitor; since: number }>;
  /** From here on the connection is given what comes in its conversation. Throws a DomainError when there are too many. */
  join(connection: VisitorConnection): void;
  waitForFrameMs(key: string): number;
  receive(visitor: Visitor, messages: readonly VisitorMessage[]): Promise<(AckFrame | ErrorFrame)[]>;
}

/** One WebSocket of a visitor: takes frames in order, and no more than can be kept; gives messages in order, and no more than are taken. */
export class VisitorConnection {
  /** The last message that was given. */
  after = 0;
  private greeted: Visitor | undefined;
  private readonly logger = new Logger('Chat');
  private readonly id = randomUUID();
  private readonly waiting: Buffer[] = [];
  private working: Promise<void> | undefined;
  private ended = false;
  private missedPings = 0;
  private fullSince: number | undefined;

  constructor(
    private readonly socket: WebSocket,
    private readonly reception: Reception,
    private readonly limits = CONNECTION_LIMITS,
  ) {
    socket.on('message', (data, isBinary) => this.hear(data as Buffer, isBinary));
    socket.on('pong', () => (this.missedPings = 0));
    const helloTimer = setTimeout(() => this.visitor ?? this.end(4408, 'session.missing', 'no token came in time'), limits.helloMs);
    const pingTimer = setInterval(() => this.ping(), limits.pingMs);
    socket.on('close', () => {
      clearTimeout(helloTimer);
      clearInterval(pingTimer);
    });
  }

  /** Unknown until the first frame. */
  get visitor(): Visitor | undefined {
    return this.greeted;
  }

  /** Whether it would take a message now. One that has taken nothing for long is cut off: everything can be read again. */
  hasRoom(): boolean {
    if (this.socket.readyState !== this.socket.OPEN) return false;
    if (this.socket.bufferedAmount <= this.limits.maxBufferedBytes) {
      this.fullSince = undefined;
      return true;
    }
    this.fullSince ??= performance.now();
    if (performance.now() - this.fullSince > this.limits.stalledMs) this.socket.terminate();
    return false;
  }

  /** Gives the next message; those before it have been given. */
  give(message: ChatMessage): void {
    this.after = message.seq;
    this.send({ message: shown(message) });
  }

  /** Resolves when nothing is being kept. */
  async idle(): Promise<void> {
    await this.working;
  }

  /** Finishes what is being kept, and hangs up. What waits is not acknowledged and comes again. */
  async stop(): Promise<void> {
    this.ended = true;
    await this.working;
    this.socket.close(1001);
  }

  private hear(data: Buffer, isBinary: boolean): void {
    if (this.ended) return;
    this.missedPings = 0;
    if (isBinary) return this.end(1003, 'frame.binary', 'expected text frames');
    this.waiting.push(data);
    if (this.waiting.length >= MAX_WAITING) this.socket.pause();
    this.working ??= this.work();
  }

  /** Goes on when the other side has hung up: its last words count. */
  private async work(): Promise<void> {
    // Everything that came in one piece is handled together.
    await new Promise(setImmediate);
    try {
      while (this.waiting.length > 0 && !this.ended) await this.handle(await this.next());
    } catch (error) {
      if (error instanceof DomainError) this.end(4_000 + error.status, error.code, error.message);
      // Not one message after another that was not kept, or they would change places.
      else {
        if (!isConnectionError(error)) this.logger.error(error);
        this.end(1013, 'service.unavailable', 'nothing can be kept at the moment; come back and send again what was not acknowledged');
      }
    }
    this.working = undefined;
    if (!this.ended) this.socket.resume();
  }

  /** The frames that may be handled now; when there are none, waits. */
  private async next(): Promise<ClientFrame[]> {
    const frames: ClientFrame[] = [];
    let waitMs = 0;
    while (this.waiting.length > 0 && (waitMs = this.reception.waitForFrameMs(this.greeted?.session ?? this.id)) === 0) {
      frames.push(readFrame(this.waiting.shift()!));
      // What follows the token counts as the session's.
      if (!this.greeted) break;
    }
    if (frames.length > 0) return frames;
    // Who has gone sends it again; two connections of one visitor would only hold each other up.
    if (this.socket.readyState === this.socket.CLOSED) this.waiting.length = 0;
    else await sleep(waitMs);
    return [];
  }

  private async handle(frames: readonly ClientFrame[]): Promise<void> {
    const messages: VisitorMessage[] = [];
    for (const frame of frames) {
      if ('error' in frame) this.send(frame);
      else if ('ping' in frame) this.send({ pong: frame.ping });
      else if ('token' in frame) await this.greet(frame);
      else if (this.greeted) messages.push(frame);
      else this.send({ error: { code: 'session.missing', detail: 'send {token} first', cid: frame.cid } });
    }
    if (messages.length === 0 || this.ended) return;
    for (const answer of await this.reception.receive(this.greeted!, messages)) this.send(answer);
  }

  private async greet(hello: Hello): Promise<void> {
    if (this.greeted) return this.send({ error: { code: 'session.known', detail: 'one token is enough' } });
    const { visitor, since } = await this.reception.greet(hello);
    this.greeted = visitor;
    this.after = since;
    this.reception.join(this);
    this.send({ welcome: { conversation: visitor.conversation, since } });
  }

  private ping(): void {
    // Nobody hears the answers of a socket that waits.
    if (this.socket.isPaused) return;
    if (++this.missedPings > MAX_MISSED_PINGS) this.socket.terminate();
    else this.socket.ping();
  }

  private send(frame: ServerFrame): void {
    if (this.socket.readyState === this.socket.OPEN) this.socket.send(JSON.stringify(frame));
  }

  private end(closeCode: number, code: string, detail: string): void {
    this.ended = true;
    this.waiting.length = 0;
    this.send({ error: { code, detail } });
    this.socket.close(closeCode, code);
    // The other side's answer must be read.
    this.socket.resume();
  }
}
