import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { faultProxy, type FaultProxy } from './fault-proxy.ts';

describe('the fault proxy', () => {
  let heard: string;
  let server: Server;
  let proxy: FaultProxy;

  beforeEach(async () => {
    heard = '';
    server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (data) => {
        heard += data.toString();
        socket.write(`${data.toString()}!`);
      });
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    proxy = await faultProxy(() => (server.address() as AddressInfo).port);
  });

  afterEach(async () => {
    await proxy.stop();
    server.close();
  });

  /** Says something and gives what comes back: an answer, or how the connection ended. */
  async function say(text: string, whileWaiting?: () => void): Promise<string> {
    const client = connect(proxy.port, '127.0.0.1');
    client.write(text);
    const answer = once(client, 'data').then(
      ([data]) => (data as Buffer).toString(),
      (error: NodeJS.ErrnoException) => error.code!,
    );
    whileWaiting?.();
    return answer.finally(() => client.destroy());
  }

  it('brings questions there and answers back', async () => {
    expect(await say('well')).toBe('well!');
  });

  it('cuts connections', async () => {
    const client = connect(proxy.port, '127.0.0.1');
    client.write('well');
    await once(client, 'data');
    proxy.cut();
    await expect(once(client, 'data')).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('loses answers to what has arrived', async () => {
    const lost = proxy.loseAnswers(200);
    expect(await say('transfer')).toBe('ECONNRESET');
    expect(heard).toBe('transfer');
    await lost;
    expect(await say('well')).toBe('well!');
  });

  it('stalls, and then cuts', async () => {
    const stalled = proxy.stall(200);
    expect(await say('slowly')).toBe('ECONNRESET');
    await stalled;
    expect(heard).toBe('');
    expect(await say('well')).toBe('well!');
  });
});
