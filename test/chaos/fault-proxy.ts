import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A TCP proxy on loopback that can cut the connections that go through it. */
export interface FaultProxy {
  readonly port: number;
  /** Resets every open connection, whatever is on its way. */
  cut(): void;
  /** For so long, whatever is asked arrives and its answer does not: the connection is reset instead. */
  loseAnswers(forMs: number): void;
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
  let losesUntil = 0;

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
    client.pipe(upstream);
    upstream.on('data', (answer) => {
      if (performance.now() < losesUntil) return reset(pair);
      if (!client.write(answer)) upstream.pause();
    });
    client.on('drain', () => upstream.resume());
    upstream.on('end', () => client.end());
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));

  return {
    port: (server.address() as AddressInfo).port,
    cut: () => pairs.forEach(reset),
    loseAnswers(forMs) {
      losesUntil = performance.now() + forMs;
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

/** RST: both sides learn of it in the middle of what they were doing. */
function reset({ client, upstream }: Pair): void {
  client.resetAndDestroy();
  upstream.resetAndDestroy();
}
