import { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { WebSocket } from 'ws';
import type { ChatMessage, MessageFrame } from './frames.ts';
import { VisitorConnection } from './visitor-connection.ts';

const CONVERSATION = '0195a000-0000-7000-8000-000000000001';

/** A socket that notes what is done to it. */
class Socket extends EventEmitter {
  readonly OPEN = 1;
  readyState = 1;
  bufferedAmount = 0;
  readonly sent: unknown[] = [];
  readonly calls: string[] = [];
  send(data: string): void {
    this.sent.push(JSON.parse(data));
  }
  ping(_data?: unknown, _mask?: unknown, done?: () => void): void {
    this.calls.push('ping');
    done?.();
  }
  pause(): void {
    this.calls.push('pause');
  }
  resume(): void {
    this.calls.push('resume');
  }
  close(code: number): void {
    this.calls.push(`close ${code}`);
    this.readyState = 2;
  }
  terminate(): void {
    this.calls.push('terminate');
    this.readyState = 3;
  }
  say(frame: unknown): void {
    this.emit('message', Buffer.from(JSON.stringify(frame)), false);
  }
}

let socket: Socket;
let now: number;
let kept: ChatMessage[];
let refusing: boolean;
let connection: VisitorConnection;

beforeEach(() => {
  socket = new Socket();
  now = 0;
  kept = [];
  refusing = false;
  connection = new VisitorConnection(socket as unknown as WebSocket, {
    chat: {
      receive: async (frames: readonly MessageFrame[]) => {
        await turn();
        if (refusing) throw new Error('database away');
        const repeated = frames.flatMap(({ cid }) => kept.filter((message) => message.cid === cid).map(({ id, seq }) => ({ cid, id, seq })));
        for (const { cid, text } of frames) if (!kept.some((message) => message.cid === cid)) connection.offer(keep(text, cid));
        return repeated;
      },
      after: async (_, seq) => {
        await turn();
        return kept.filter((message) => message.seq > seq).slice(0, 2);
      },
      lastSeqs: async () => Promise.resolve(new Map(kept.length > 0 ? [[CONVERSATION, kept.length]] : [])),
    },
    site: 'shop',
    brand: undefined,
    secret: 'a secret that is long enough for anybody',
    clock: () => now,
    newConversation: () => CONVERSATION,
    joined: () => true,
  });
});

const turn = (): Promise<void> => new Promise(setImmediate);

async function settled(): Promise<void> {
  for (let turns = 0; turns < 20; turns++) await turn();
}

function keep(text: string, cid?: string): ChatMessage {
  const message = {
    conversation: CONVERSATION,
    seq: kept.length + 1,
    id: `id-${kept.length + 1}`,
    ...(cid && { cid }),
    from: cid ? ('visitor' as const) : ('agent' as const),
    text,
    at: 'now',
  };
  kept.push(message);
  return message;
}

async function hello(since = 0): Promise<void> {
  socket.say({ hello: { since } });
  await settled();
}

/** The sequence numbers that were sent, acknowledgements in brackets. */
function seqs(): unknown[] {
  const numbered = (socket.sent as { seq?: number; ack?: string }[]).filter(({ seq }) => seq !== undefined);
  return numbered.map(({ seq, ack }) => (ack === undefined ? seq : [seq]));
}

describe('a visitor', () => {
  it('is welcomed with a session, and gets what they have not seen', async () => {
    for (const text of ['a', 'b', 'c', 'd', 'e']) keep(text);
    await hello(2);
    expect(socket.sent[0]).toEqual({ welcome: { session: expect.any(String), conversation: CONVERSATION, seq: 5 } });
    expect(seqs()).toEqual([3, 4, 5]);
  });

  it('who has seen the future gets everything', async () => {
    keep('a');
    await hello(99);
    expect(seqs()).toEqual([1]);
  });

  it('hears of their message by its acknowledgement, and not again', async () => {
    await hello();
    socket.say({ cid: 'c1', text: 'hello' });
    await settled();
    expect(socket.sent.slice(1)).toEqual([{ ack: 'c1', seq: 1, id: 'id-1' }]);
  });

  it('hears in order, even when they write while they catch up', async () => {
    for (const text of ['a', 'b', 'c', 'd', 'e']) keep(text);
    socket.say({ hello: {} });
    socket.say({ cid: 'c1', text: 'mine' });
    connection.offer(keep('f'));
    await settled();
    expect(seqs()).toEqual([1, 2, 3, 4, 5, 6, [7]]);
  });

  it('is answered alike when they send again what was kept', async () => {
    await hello();
    for (let times = 0; times < 2; times++) {
      socket.say({ cid: 'c1', text: 'hello' });
      await settled();
    }
    expect(socket.sent.slice(1)).toEqual([
      { ack: 'c1', seq: 1, id: 'id-1' },
      { ack: 'c1', seq: 1, id: 'id-1' },
    ]);
  });

  it('is told what could not be kept', async () => {
    await hello();
    refusing = true;
    socket.say({ cid: 'c1', text: 'hello' });
    await settled();
    expect(socket.sent.at(-1)).toEqual({ error: { code: 'not_kept', message: expect.any(String), cid: 'c1' } });
    refusing = false;
    socket.say({ cid: 'c1', text: 'hello' });
    await settled();
    expect(seqs()).toEqual([[1]]);
  });

  it('finds what another process has kept', async () => {
    await hello();
    keep('from elsewhere');
    connection.reached(1);
    await settled();
    expect(seqs()).toEqual([1]);
  });

  it('is read no further while much of theirs waits to be kept', async () => {
    await hello();
    now = 10_000;
    for (let n = 0; n < 40; n++) socket.say({ cid: `a${n}`, text: 'x' });
    now += 4_000;
    for (let n = 0; n < 40; n++) socket.say({ cid: `b${n}`, text: 'x' });
    expect(socket.calls).toContain('pause');
    await settled();
    expect(socket.calls.at(-1)).toBe('resume');
    expect(seqs()).toHaveLength(80);
  });

  it('who says too much is told when to go on, and loses nothing that was acknowledged', async () => {
    await hello();
    for (let n = 0; n < 50; n++) socket.say({ cid: `c${n}`, text: 'x' });
    await settled();
    const refused = (socket.sent as { error?: { code: string; cid: string; retryAfterMs: number } }[]).flatMap(({ error }) => error ?? []);
    expect(refused).toHaveLength(11);
    expect(refused[0]).toEqual({ code: 'rate_limited', message: expect.any(String), cid: 'c39', retryAfterMs: 100 });
    expect(seqs()).toHaveLength(39);
  });
});

describe('what is no visitor', () => {
  it.each([
    ['no JSON', Buffer.from('{'), false],
    ['binary', Buffer.from('{"ping":1}'), true],
    ['not the protocol', Buffer.from('{"cid":"c1","text":"x","admin":true}'), false],
    ['no text', Buffer.from('{"cid":"c1","text":""}'), false],
    ['a strange id', Buffer.from('{"cid":"c 1","text":"x"}'), false],
    ['invalid UTF-8', Buffer.from([0xff, 0xfe]), false],
  ])('is told that %s is no frame', (_, data, isBinary) => {
    socket.emit('message', data, isBinary);
    expect(socket.sent).toEqual([{ error: { code: 'frame.invalid', message: expect.any(String) } }]);
  });

  it('must say hello first', () => {
    socket.say({ cid: 'c1', text: 'x' });
    expect(socket.sent).toEqual([{ error: { code: 'hello.missing', message: expect.any(String), cid: 'c1' } }]);
  });

  it('is shown out with a session that is not ours', () => {
    socket.say({ hello: { session: 'e30.AAAA' } });
    expect(socket.calls).toEqual(['close 4401']);
  });

  it('is hung up on when it does not introduce itself', () => {
    now = 10_001;
    socket.say({ ping: 1 });
    connection.check();
    expect(socket.calls).toEqual(['close 4408']);
  });

  it('is hung up on when it has not been heard of for a minute, pings or not', async () => {
    await hello();
    now = 50_000;
    connection.check();
    socket.emit('pong');
    now = 100_000;
    connection.check();
    now = 110_001;
    connection.check();
    expect(socket.calls.filter((call) => call !== 'resume')).toEqual(['ping', 'ping', 'terminate']);
  });

  it('is hung up on when it never reads', async () => {
    await hello();
    socket.bufferedAmount = 9 * 1024 * 1024;
    connection.offer(keep('x'));
    expect(socket.calls).toContain('terminate');
  });
});
