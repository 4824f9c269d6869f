import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { startPostgres } from '@tierline/service/embedded-postgres';
import { startKafka } from './kafka-cluster.ts';
import { MissingPartError } from './missing-part.ts';
import { MISSING_STATUS } from './parts.ts';
import { requireJavaAndMaven } from './real-kafka.ts';

interface Part {
  /** What the tests are told. */
  answer: object;
  stop(): Promise<void>;
}

/** A database of a test survives a killed server, and need not survive the machine. */
const POSTGRES_SETTINGS = { fsync: 'off', full_page_writes: 'off', max_connections: '400', shared_buffers: '128MB' };

/** The parts that all test files of a run share, by the path that asks for them. */
const starters: Record<string, (runDir: string) => Promise<Part>> = {
  async '/postgres'(runDir) {
    const postgres = await startPostgres({ dataDir: join(runDir, 'postgres'), settings: POSTGRES_SETTINGS });
    return { answer: { url: postgres.url }, stop: () => postgres.stop() };
  },
  async '/kafka'(runDir) {
    const given = process.env['KAFKA_BROKERS'];
    if (given) return { answer: { brokers: given }, stop: async () => {} };
    await requireJavaAndMaven();
    const kafka = await startKafka({ dataDir: join(runDir, 'kafka'), version: process.env['TIERLINE_KAFKA_VERSION'] });
    return { answer: { brokers: kafka.brokers }, stop: () => kafka.stop() };
  },
};

/** Starts each shared part when it is first asked for; over HTTP, because test files run in processes of their own. */
export async function serveParts(runDir: string): Promise<{ url: string; stop(): Promise<void> }> {
  const started = new Map<string, Promise<Part>>();
  const server = createServer((request, response) => {
    const path = request.url!;
    // Nobody asks twice within a keep-alive, and a connection that closes as it is used again fails the test.
    response.setHeader('connection', 'close');
    const part = started.get(path) ?? starters[path]!(runDir);
    started.set(path, part);
    part.then(
      ({ answer }) => response.end(JSON.stringify(answer)),
      (error: Error) => response.writeHead(error instanceof MissingPartError ? MISSING_STATUS : 500).end(`${path}: ${error.message}`),
    );
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  server.unref();
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.close();
      for (const part of await Promise.allSettled(started.values())) if (part.status === 'fulfilled') await part.value.stop();
    },
  };
}
