import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 5_000;
/** As a browser has to: it does not see the server's pings. */
const PING_MS = 25_000;
const MAX_MISSED_PONGS = 2;

export interface ChatClientOptions {
  /** Where Tierline answers, `http://…`. */
  url: string;
  site: string;
  /** The page that the visitor is on. */
  origin: string;
  /** What the visitor says about themselves. */
  name?: string;
  email?: string;
  /** One that was begun before: of another tab, or before the browser was closed. */
  session?: ChatSession;
}

export interface ChatSession {
  session: string;
  token: string;
  conversation: string;
}

export interface ReceivedMessage {
  seq: number;
  id: string;
  cid?: string;
  from: 'visitor' | 'agent' | 'system';
  text: string;
  attachments: { id: string; filename: string; mediaType: string; bytes: number }[];
  at: string;
}

/** The server will not take this message, or this visitor, however often it is asked. */
export class ChatRefusedError extends Error {
  constructor(
    readonly code: string,
    detail: string,
  ) {
    super(`${code}: ${detail}`);
  }
}

type Frame = Partial<{
  welcome: { conversation: string; since: number };
  ack: string;
  seq: number;
  id: string;
  message: ReceivedMessage;
  error: { code: string; detail: string; cid?: string };
  pong: number;
}>;

interface Pending {
  frame: string;
  resolve: (kept: { seq: number; id: string }) => void;
  reject: (error: Error) => void;
}

/** A visitor's chat as a widget keeps it: whatever happens to the connection, each message is sent until it is acknowledged, and each answer comes once. */
export class ChatClient {
  /** Every message of the conversation, the visitor's own too, as it came. */
  readonly received: ReceivedMessage[] = [];
  /** Known as soon as the server has given one. */
  readonly session: Promise<ChatSession>;
  private readonly pending = new Map<string, Pending>();
  private readonly listeners = new Set<(message: ReceivedMessage) => void>();
  private readonly closing = new AbortController();
  private readonly running: Promise<void>;
  private socket: WebSocket | undefined;
  private welcomed = false;
  private since = 0;
  private refusal: Error | undefined;

  constructor(private readonly options: ChatClientOptions) {
    this.session = options.session ? Promise.resolve(options.session) : this.begin();
    this.running = this.run();
  }

  /** Resolves when the message is kept for good. Rejects with ChatRefusedError, or when the client is closed before. */
  send(text: string, cid: string = randomUUID(), attachments: string[] = []): Promise<{ seq: number; id: string }> {
    return new Promise((resolve, reject) => {
      if (this.refusal) return reject(this.refusal);
      const frame = JSON.stringify({ cid, text, ...(attachments.length > 0 && { attachments }) });
      this.pending.set(cid, { frame, resolve, reject });
      if (this.welcomed) this.socket!.send(frame, () => undefined);
    });
  }

  onMessage(listener: (message: ReceivedMessage) => void): void {
    this.listeners.add(listener);
  }

  /** Loses the connection, as somebody in a tunnel does. The client comes back by itself. */
  kill(): void {
    this.socket?.terminate();
  }

  async close(): Promise<void> {
    this.giveUp(new Error('the chat was closed'));
    await this.running;
  }

  private async begin(): Promise<ChatSession> {
    const { url, site, origin, name, email } = this.options;
    for (let failures = 0; ; failures++) {
      const response = await fetch(`${url}/chat/v1/sessions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin },
        body: JSON.stringify({ site, name, email }),
        signal: this.closing.signal,
      }).catch(() => undefined);
      if (response?.ok) return (await response.json()) as ChatSession;
      if (response && response.status < 500 && response.status !== 429) throw new ChatRefusedError(`http.${response.status}`, await response.text());
      this.closing.signal.throwIfAborted();
      await this.pause(failures, Number(response?.headers.get('retry-after') ?? 0) * 1_000);
    }
  }

  private async run(): Promise<void> {
    try {
      const session = await this.session;
      for (let failures = 0; !this.closing.signal.aborted; failures++) {
        if (await this.connection(session)) failures = 0;
        await this.pause(failures);
      }
    } catch (error) {
      this.giveUp(error as Error);
    }
  }

  /** One connection, until it ends. Answers whether it was welcomed. */
  private async connection({ token }: ChatSession): Promise<boolean> {
    const { url, site, origin } = this.options;
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/chat/v1/socket?site=${encodeURIComponent(site)}`, { origin, handshakeTimeout: 10_000 });
    this.socket = socket;
    let missedPongs = 0;
    let wasWelcomed = false;
    const pings = setInterval(() => {
      if (++missedPongs > MAX_MISSED_PONGS) socket.terminate();
      else if (socket.readyState === socket.OPEN) socket.send(JSON.stringify({ ping: missedPongs }), () => undefined);
    }, PING_MS);
    socket.on('open', () => socket.send(JSON.stringify({ token, since: this.since })));
    socket.on('message', (data: Buffer) => {
      missedPongs = 0;
      const frame = JSON.parse(data.toString()) as Frame;
      wasWelcomed ||= frame.welcome !== undefined;
      this.take(frame);
    });
    socket.on('error', ({ message }) => {
      if (message.endsWith('403')) this.giveUp(new ChatRefusedError('http.403', message));
    });
    const [code, reason] = await new Promise<[number, string]>((closed) => socket.on('close', (...ended) => closed([ended[0], ended[1].toString()])));
    clearInterval(pings);
    this.welcomed = false;
    if (code === 4401 || code === 4403) this.giveUp(new ChatRefusedError(reason, `the server closed the connection with ${code}`));
    return wasWelcomed;
  }

  private take({ welcome, message, ack, seq, id, error }: Frame): void {
    if (welcome) {
      // The server knows less than we do: it begins anew.
      if (welcome.since < this.since) this.received.length = 0;
      this.since = welcome.since;
      this.welcomed = true;
      for (const { frame } of this.pending.values()) this.socket!.send(frame, () => undefined);
    } else if (message) {
      this.since = message.seq;
      this.received.push(message);
      for (const listener of this.listeners) listener(message);
    } else if (ack !== undefined) {
      this.settled(ack)?.resolve({ seq: seq!, id: id! });
    } else if (error?.cid !== undefined) {
      this.settled(error.cid)?.reject(new ChatRefusedError(error.code, error.detail));
    }
  }

  private settled(cid: string): Pending | undefined {
    const pending = this.pending.get(cid);
    this.pending.delete(cid);
    return pending;
  }

  private giveUp(error: Error): void {
    this.refusal ??= error;
    this.closing.abort(this.refusal);
    this.socket?.close();
    for (const cid of [...this.pending.keys()]) this.settled(cid)!.reject(this.refusal);
  }

  /** Half of it is chance, so that those who lost a server do not all come back at once. */
  private async pause(failures: number, atLeastMs = 0): Promise<void> {
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(failures, 20), LONGEST_PAUSE_MS) * (0.5 + Math.random() / 2);
    await sleep(Math.max(pauseMs, atLeastMs), undefined, { signal: this.closing.signal }).catch(() => undefined);
  }
}

/** Opens a visitor's chat: `const { seq, id } = await chatClient({ url, site, origin }).send('Hello?')`. */
export function chatClient(options: ChatClientOptions): ChatClient {
  return new ChatClient(options);
}
