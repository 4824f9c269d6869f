import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { startPostgres } from '@tierline/service/embedded-postgres';

interface Part {
  /** What the tests are told. */
  answer: object;
  stop(): Promise<void>;
}

/** The parts that all test files of a run share. */
const starters: Record<string, (runDir: string) => Promise<Part>> = {
  postgres: async (runDir) => {
    const postgres = await startPostgres({ dataDir: join(runDir, 'postgres'), settings: TEST_SETTINGS });
    return { answer: { url: postgres.url }, stop: () => postgres.stop() };
  },
};

/** The data of a test need not survive the machine; they survive a killed server all the same. */
const TEST_SETTINGS = { fsync: 'off', full_page_writes: 'off', max_connections: '400', shared_buffers: '128MB' };

/** Starts each shared part when it is first asked for, over HTTP because test files run in processes of their own. */
export async function serveParts(runDir: string): Promise<{ url: string; stop(): Promise<void> }> {
  const started = new Map<string, Promise<Part>>();
  const server = createServer((request, response) => {
    const name = request.url!.slice(1);
    const part = started.get(name) ?? starters[name]!(runDir);
    started.set(name, part);
    part.then(
      ({ answer }) => response.end(JSON.stringify(answer)),
      (error: Error) => response.writeHead(503).end(`${name}: ${error.message}`),
    );
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  server.unref();
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.close();
      for (const outcome of await Promise.allSettled(started.values())) if (outcome.status === 'fulfilled') await outcome.value.stop();
    },
  };
}
