import type { WebSocket } from 'ws';
import type { ChatService } from './chat.service.ts';
import { readFrame, type ChatMessage, type MessageFrame, type ServerFrame } from './frames.ts';
import { RateLimit } from './rate-limit.ts';
import { readSessionToken, sessionToken, type Session } from './session-token.ts';

/** A client that has not said who it is by then is none of ours. */
const HELLO_DEADLINE_MS = 10_000;
/** A client that has been silent for two pings and some is not there any more, whatever TCP believes. */
const SILENCE_MS = 60_000;
/** Messages of one visitor that wait for their commit; then the socket is not read until they are kept. */
const MAX_WAITING = 50;

/** What may lie here for a client that does not read: a few pages of the longest messages. */
const MAX_BUFFERED_BYTES = 8 * 1024 * 1024;

/** Close codes that are ours (RFC 6455 §7.4.2). */
const CLOSE = { sessionInvalid: 4401, silent: 4408, tooMany: 4429 } as const;

export interface ConnectionParts {
  chat: Pick<ChatService, 'receive' | 'after' | 'lastSeqs'>;
  site: string;
  brand: string | undefined;
  secret: string;
  /** Milliseconds of a clock that never goes back. */
  clock: () => number;
  newConversation: () => string;
  /** The visitor has said who they are. False when they have too many connections. */
  joined: (connection: VisitorConnection) => boolean;
}

/**
 * One WebSocket of a visitor. Everything with a sequence number is sent in its order, acknowledgements too, so that the highest number a client has seen is
 * all it needs to say when it comes back.
 */
export class VisitorConnection {
  private session: Session | undefined;
  /** The last sequence number that was sent. */
  private seq = 0;
  private readonly limit: RateLimit;
  private readonly openedAt: number;
  private heardAt: number;
  private readonly waiting: MessageFrame[] = [];
  private keeping = false;
  /** Client ids whose acknowledgement is owed on this connection. */
  private readonly owed = new Set<string>();
  private catchingUp = false;
  private behind = false;

  constructor(
    private readonly socket: WebSocket,
    private readonly parts: ConnectionParts,
  ) {
    this.openedAt = this.heardAt = parts.clock();
    this.limit = new RateLimit(this.openedAt);
    socket.on('message', (data, isBinary) => this.hear(data as Buffer, isBinary));
    socket.on('pong', () => (this.heardAt = parts.clock()));
  }

  get conversation(): string | undefined {
    return this.session?.conversation;
  }

  /** Called now and then: asks whether the other side is there, and hangs up when it has not been for long. */
  check(): void {
    const now = this.parts.clock();
    if (now - this.heardAt > SILENCE_MS) this.socket.terminate();
    else if (!this.session && now - this.openedAt > HELLO_DEADLINE_MS) this.socket.close(CLOSE.silent, 'no hello');
    else if (this.socket.readyState === this.socket.OPEN) this.socket.ping();
  }

  /** A message of the conversation was kept. */
  offer(message: ChatMessage): void {
    if (!this.catchingUp && message.seq === this.seq + 1) this.deliver(message);
    else if (message.seq > this.seq) this.catchUp();
  }

  /** How far the conversation has come, as somebody has read: perhaps further than this connection. */
  reached(seq: number): void {
    if (seq > this.seq) this.catchUp();
  }

  private hear(data: Buffer, isBinary: boolean): void {
    this.heardAt = this.parts.clock();
    const waitMs = this.limit.take(this.heardAt);
    const frame = readFrame(data, isBinary);
    if (waitMs > 0) {
      const cid = frame && 'cid' in frame ? { cid: frame.cid } : {};
      return this.send({ error: { code: 'rate_limited', message: 'too many messages; send it again later', retryAfterMs: waitMs, ...cid } });
    }
    if (!frame) return this.send({ error: { code: 'frame.invalid', message: 'expected {hello}, {cid, text} or {ping} as JSON text' } });
    if ('ping' in frame) return this.send({ pong: frame.ping });
    if ('hello' in frame) return void this.greet(frame.hello.session, frame.hello.since).catch(() => this.socket.close(1011, 'try again'));
    if (!this.session) return this.send({ error: { code: 'hello.missing', message: 'say hello first', cid: frame.cid } });
    this.waiting.push(frame);
    this.owed.add(frame.cid);
    if (this.waiting.length >= MAX_WAITING) this.socket.pause();
    if (!this.keeping) void this.keepWaiting(this.session);
  }

  private async greet(token: string | undefined, since: number): Promise<void> {
    if (this.session) return this.send({ error: { code: 'hello.repeated', message: 'one hello is enough' } });
    const { site, secret } = this.parts;
    const now = Date.now();
    const known = token === undefined ? { site, conversation: this.parts.newConversation() } : readSessionToken(token, site, secret, now);
    if (!known) return this.socket.close(CLOSE.sessionInvalid, 'session.invalid');
    const session = { ...known, issuedAt: now };
    this.session = session;
    if (!this.parts.joined(this)) return this.socket.close(CLOSE.tooMany, 'too many connections');
    // Until the welcome is out, nothing else is: what is kept meanwhile is caught up with.
    this.catchingUp = true;
    const last = (await this.parts.chat.lastSeqs([session.conversation])).get(session.conversation) ?? 0;
    // A number from the future is from another life of the database: better everything again than something never.
    this.seq = since > last ? 0 : since;
    this.send({ welcome: { session: sessionToken(session, secret), conversation: session.conversation, seq: last } });
    this.catchingUp = false;
    this.catchUp();
  }

  /** Keeps what has been said, one batch after the other, so that it stays in order. */
  private async keepWaiting(session: Session): Promise<void> {
    this.keeping = true;
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0);
      this.socket.resume();
      try {
        for (const { cid, id, seq } of await this.parts.chat.receive(batch, session, this.parts.brand)) {
          // One that was kept before and is still to be sent gets its acknowledgement in its turn.
          if (seq <= this.seq && this.owed.delete(cid)) this.send({ ack: cid, seq, id });
          else this.catchUp();
        }
      } catch {
        for (const { cid } of batch) {
          this.owed.delete(cid);
          this.send({ error: { code: 'not_kept', message: 'the message could not be kept; send it again', cid } });
        }
      }
    }
    this.keeping = false;
  }

  /** Sends what has come since the last number, page by page, at the pace of the client. */
  private catchUp(): void {
    this.behind = true;
    if (this.catchingUp) return;
    this.catchingUp = true;
    this.readOn().catch(() => this.socket.close(1011, 'try again'));
  }

  private async readOn(): Promise<void> {
    try {
      while (this.behind && this.socket.readyState === this.socket.OPEN) {
        this.behind = false;
        const page = await this.parts.chat.after(this.session!.conversation, this.seq);
        if (page.length === 0) continue;
        this.behind = true;
        for (const message of page) this.deliver(message);
        await this.flushed();
      }
    } finally {
      // In the same turn as the last look at `behind`, so that no message falls between.
      this.catchingUp = false;
    }
  }

  private deliver({ conversation: _, ...message }: ChatMessage): void {
    this.seq = message.seq;
    if (message.cid !== undefined && this.owed.delete(message.cid)) this.send({ ack: message.cid, seq: message.seq, id: message.id });
    else this.send(message);
  }

  private send(frame: ServerFrame): void {
    if (this.socket.readyState !== this.socket.OPEN) return;
    if (this.socket.bufferedAmount > MAX_BUFFERED_BYTES) this.socket.terminate();
    else this.socket.send(JSON.stringify(frame));
  }

  /** Resolves when everything sent has left this process, or the connection is gone. A client that never reads is hung up on by `check`. */
  private async flushed(): Promise<void> {
    if (this.socket.bufferedAmount === 0) return;
    await new Promise<void>((done) => {
      this.socket.once('close', done);
      this.socket.ping(undefined, undefined, () => {
        this.socket.off('close', done);
        done();
      });
    });
  }
}
