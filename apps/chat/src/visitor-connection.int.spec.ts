import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { DomainError } from '@tierline/service';
import { eventually } from '@tierline/testing';
import { WebSocket, WebSocketServer } from 'ws';
import type { AckFrame, VisitorMessage } from './frames.ts';
import { CONNECTION_LIMITS, VisitorConnection, type Reception } from './visitor-connection.worker.ts';

const VISITOR = { site: 'shop', session: 's', conversation: 'c', expiresAt: 0 };
const servers: WebSocketServer[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    for (const socket of server.clients) socket.terminate();
    server.close();
  }
});

/** Both ends of a connection, and the text of what came through it. */
async function connected(given: Partial<Reception> = {}, limits: Partial<typeof CONNECTION_LIMITS> = {}, options: WebSocket.ClientOptions = {}) {
  const received: string[][] = [];
  const reception: Reception = {
    greet: async () => ({ visitor: VISITOR, since: 0 }),
    join: () => undefined,
    waitForFrameMs: () => 0,
    receive: async (_, messages) => acks(messages),
    ...given,
  };
  const receive: Reception['receive'] = (visitor, messages) => {
    received.push(messages.map(({ text }) => text));
    return reception.receive(visitor, messages);
  };
  const server = new WebSocketServer({ port: 0 });
  servers.push(server);
  await once(server, 'listening');
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, options);
  const frames: { ack?: string; error?: { code: string } }[] = [];
  client.on('message', (data: Buffer) => frames.push(JSON.parse(data.toString()) as { ack?: string }));
  client.on('error', () => undefined);
  const closed = new Promise<[number, string]>((done) => client.on('close', (code, reason) => done([code, reason.toString()])));
  const [[socket]] = (await Promise.all([once(server, 'connection'), once(client, 'open')])) as [[WebSocket], unknown];
  const connection = new VisitorConnection(socket, { ...reception, receive }, { ...CONNECTION_LIMITS, ...limits });
  const say = (...texts: string[]) => texts.forEach((text) => client.send(JSON.stringify({ cid: text, text })));
  return { client, socket, connection, frames, closed, received, say, greet: () => client.send('{"token":"t"}') };
}

function acks(messages: readonly VisitorMessage[]): AckFrame[] {
  return messages.map(({ cid }, index) => ({ ack: cid, seq: index + 1, id: cid }));
}

/** A promise, and the way to fulfil it. */
function gate(): { opened: Promise<void>; open: () => void } {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

const numbers = (count: number) => Array.from({ length: count }, (_, n) => String(n));

describe('frames', () => {
  it('are kept in order and a few at a time, and no more are read than can be kept', async () => {
    const { opened, open } = gate();
    const { say, greet, socket, received, frames } = await connected({ receive: (_, messages) => opened.then(() => acks(messages)) });
    greet();
    say(...numbers(40));
    await eventually(() => socket.isPaused);
    expect(received).toHaveLength(1);
    open();
    await eventually(() => expect(frames.flatMap(({ ack }) => ack ?? [])).toEqual(numbers(40)));
    expect(received.flat()).toEqual(numbers(40));
    expect(socket.isPaused).toBe(false);
  });

  it('beyond the rate wait, and keep their order', async () => {
    let calls = 0;
    const { say, greet, frames } = await connected({ waitForFrameMs: () => (++calls % 3 === 0 ? 0 : 1) });
    greet();
    say(...numbers(50));
    await eventually(() => expect(frames.flatMap(({ ack }) => ack ?? [])).toEqual(numbers(50)));
  });

  it('that cannot be kept end the connection, and those behind them are not kept before they come again', async () => {
    const { opened, open } = gate();
    const { say, greet, received, closed, frames } = await connected({ receive: () => opened.then(() => Promise.reject(new Error('Connection terminated'))) });
    greet();
    say('1');
    await eventually(() => expect(received).toEqual([['1']]));
    say('2', '3');
    open();
    expect(await closed).toEqual([1013, 'service.unavailable']);
    expect(received).toEqual([['1']]);
    expect(frames.filter(({ ack }) => ack !== undefined)).toEqual([]);
  });

  it('of a visitor who may not be here any more end the connection', async () => {
    const gone = () => Promise.reject(new DomainError(403, 'site.unknown', 'there is no site shop'));
    const { say, greet, closed } = await connected({ receive: gone });
    greet();
    say('1');
    expect(await closed).toEqual([4403, 'site.unknown']);
  });

  it('that are being kept when the process stops are acknowledged; the others come again', async () => {
    const { opened, open } = gate();
    const { say, greet, received, closed, frames, connection } = await connected({ receive: (_, messages) => opened.then(() => acks(messages)) });
    greet();
    say('1');
    await eventually(() => expect(received).toEqual([['1']]));
    say('2');
    const stopped = connection.stop();
    open();
    await stopped;
    expect(await closed).toEqual([1001, '']);
    expect(frames.flatMap(({ ack }) => ack ?? [])).toEqual(['1']);
    expect(received).toEqual([['1']]);
  });
});

describe('a client', () => {
  it('that does not say who it is, is sent away', async () => {
    const { closed } = await connected({}, { helloMs: 20 });
    expect(await closed).toEqual([4408, 'session.missing']);
  });

  it('that does not answer pings is given up, and one that does is not', async () => {
    const dead = await connected({}, { pingMs: 20 }, { autoPong: false });
    const alive = await connected({}, { pingMs: 20 });
    const pings: unknown[] = [];
    alive.client.on('ping', () => pings.push(1));
    expect((await dead.closed)[0]).toBe(1006);
    await eventually(() => expect(pings.length).toBeGreaterThan(5));
    expect(alive.client.readyState).toBe(WebSocket.OPEN);
  });

  it('that reads slowly is given no more than it takes, and everything when it takes it', async () => {
    const { client, socket, connection, frames, closed } = await connected({}, { maxBufferedBytes: 100_000 });
    client.pause();
    const given = await fill(connection);
    expect(socket.bufferedAmount).toBeLessThan(120_000);
    client.resume();
    await eventually(() => connection.hasRoom());
    connection.give(message(given + 1));
    await eventually(() => expect(frames).toHaveLength(given + 1));
    client.close();
    expect((await closed)[0]).toBe(1005);
  });

  it('that reads nothing for long is cut off', async () => {
    const { client, socket, connection } = await connected({}, { maxBufferedBytes: 100_000, stalledMs: 50 });
    client.pause();
    await fill(connection);
    await eventually(() => {
      connection.hasRoom();
      expect(socket.readyState).toBe(WebSocket.CLOSED);
    });
  });
});

const message = (seq: number) =>
  ({ conversation: 'c', seq, id: String(seq), from: 'agent', text: 'x'.repeat(10_000), attachments: [], at: '2026-03-01T10:00:00.000Z' }) as const;

/** Gives messages until neither the client nor the operating system takes more. */
async function fill(connection: VisitorConnection): Promise<number> {
  let seq = 0;
  for (let full = 0; full < 5;) {
    if (connection.hasRoom()) {
      connection.give(message(++seq));
      full = 0;
    } else full++;
    if (seq % 5 === 0 || full > 0) await new Promise((resolve) => setTimeout(resolve, full));
  }
  return seq;
}
