import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A TCP proxy on loopback that can spoil the connections that go through it. */
export interface FaultProxy {
  readonly port: number;
  /** Resets every open connection, whatever is on its way. */
  cut(): void;
  /** For so long, whatever is asked arrives and its answer does not: the connection is reset instead. */
  loseAnswers(forMs: number): Promise<void>;
  /** For so long nothing moves, and nobody is told; then the connections are reset. */
  stall(forMs: number): Promise<void>;
  /** Whether a connection that its server sees come from this port goes through here. */
  carries(clientPort: number): boolean;
  stop(): Promise<void>;
}

interface Pair {
  readonly client: Socket;
  readonly upstream: Socket;
}

/** Stands in front of what listens at `target()` when a connection comes: a server that starts again elsewhere keeps its address. */
export async function faultProxy(target: () => number): Promise<FaultProxy> {
  const pairs = new Set<Pair>();
  let losesAnswers = false;
  let isStalled = false;

  const forward = (from: Socket, to: Socket): void => {
    from.on('data', (data) => {
      if (!to.write(data)) from.pause();
    });
    to.on('drain', () => {
      if (!isStalled) from.resume();
    });
    from.on('end', () => to.end());
  };

  const server = createServer((client) => {
    const pair: Pair = { client, upstream: connect(target(), '127.0.0.1') };
    const { upstream } = pair;
    pairs.add(pair);
    const end = (): void => {
      pairs.delete(pair);
      // Not end(): whoever is killed sends no goodbye, and here is nobody who would.
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) socket.on('error', end).on('close', end).setNoDelay(true);
    // Before it is forwarded: a socket that is reset takes no more data.
    upstream.on('data', () => losesAnswers && reset(pair));
    forward(client, upstream);
    forward(upstream, client);
    if (isStalled) pause(pair);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const cut = (): void => pairs.forEach(reset);

  return {
    port: (server.address() as AddressInfo).port,
    cut,
    async loseAnswers(forMs) {
      losesAnswers = true;
      await sleep(forMs);
      losesAnswers = false;
    },
    async stall(forMs) {
      isStalled = true;
      pairs.forEach(pause);
      await sleep(forMs);
      isStalled = false;
      cut();
    },
    carries: (clientPort) => [...pairs].some(({ upstream }) => upstream.localPort === clientPort),
    async stop() {
      const closed = new Promise((done) => server.close(done));
      for (const { client, upstream } of pairs) {
        client.destroy();
        upstream.destroy();
      }
      await closed;
    },
  };
}

function pause({ client, upstream }: Pair): void {
  client.pause();
  upstream.pause();
}

/** RST: both sides learn of it in the middle of what they were doing. */
function reset({ client, upstream }: Pair): void {
  client.resetAndDestroy();
  upstream.resetAndDestroy();
}
