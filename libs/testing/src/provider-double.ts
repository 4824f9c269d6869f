import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** What a double does instead of answering: `hang` and `drop` take the request first, as a provider that loses its connection does. */
export type Fault = 'hang' | 'drop' | ProviderAnswer;

export interface ProviderRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface ProviderAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** The API side of a provider's double: a local HTTP server that speaks JSON. */
export interface ProviderApi {
  readonly url: string;
  /** The next requests get these, one each, in order. */
  failNext(...faults: Fault[]): void;
  stop(): Promise<void>;
}

/** Starts a double's API on a free port of this machine. `take` does what the provider does with a request and gives its answer. */
export async function providerApi(take: (request: ProviderRequest) => ProviderAnswer): Promise<ProviderApi> {
  const faults: Fault[] = [];
  const server = createServer((incoming, response) => {
    void text(incoming).then((body) => {
      const fault = faults.shift();
      const request = { method: incoming.method ?? '', path: incoming.url ?? '', headers: incoming.headers, body };
      const answer = typeof fault === 'object' ? fault : take(request);
      if (fault === 'hang') return;
      if (fault === 'drop') return incoming.socket.destroy();
      response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
      response.end(answer.body === undefined ? '' : typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body));
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    failNext: (...next) => void faults.push(...next),
    async stop() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

/** What a webhook was answered. Without a status there was no answer; `connected` says whether there was anybody to answer. */
export interface Delivered {
  readonly status: number | undefined;
  readonly body: string;
  readonly connected: boolean;
}

/** Calls a webhook once and waits as long as the provider would. */
export async function deliver(url: string, headers: Readonly<Record<string, string>>, body: string, timeoutMs: number): Promise<Delivered> {
  try {
    const response = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal: AbortSignal.timeout(timeoutMs) });
    return { status: response.status, body: await response.text(), connected: true };
  } catch (error) {
    const { syscall } = ((error as Error).cause ?? {}) as { syscall?: string };
    return { status: undefined, body: '', connected: syscall !== 'connect' };
  }
}

/** Whether the webhook's answer counts as taken. */
export function accepted({ status }: Delivered): boolean {
  return status !== undefined && status >= 200 && status < 300;
}
