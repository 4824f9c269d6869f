import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NODE_FLAGS } from '@tierline/service/node-flags';

const APPS = join(import.meta.dirname, '../apps');
const READY_WITHIN_MS = 90_000;

/** A Tierline process that a benchmark talks to from outside, as its users do. */
export interface Server {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Starts the bundle of an app (`tierline` with `start`, or a service) and waits until it is ready. */
export async function startServer(app: string, port: number, env: NodeJS.ProcessEnv): Promise<Server> {
  const child = spawn(process.execPath, [...NODE_FLAGS, join(APPS, app, 'main.js'), ...(app === 'tierline' ? ['start'] : [])], {
    env: { ...process.env, ...env, PORT: String(port) },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const exit = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const url = `http://127.0.0.1:${port}`;
  const deadline = performance.now() + READY_WITHIN_MS;
  while (
    !(await fetch(`${url}/ready`).then(
      ({ ok }) => ok,
      () => false,
    ))
  ) {
    if (performance.now() > deadline || child.exitCode !== null) throw new Error(`${app} did not come up`);
    await sleep(20);
  }
  return {
    url,
    pid: child.pid!,
    async stop() {
      child.kill('SIGTERM');
      await exit;
    },
  };
}

/** A keep-alive client over so many connections: node:http, because fetch costs more than the server. Resolves with status and body. */
export function client(connections: number): (url: string, headers: Record<string, string>, body: string) => Promise<{ status: number; body: string }> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  return (url, headers, body) =>
    new Promise((resolve, reject) => {
      const sent = request(
        url,
        { method: 'POST', agent, headers: { ...headers, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) } },
        (response) => {
          const chunks: Buffer[] = [];
          response
            .on('data', (chunk: Buffer) => chunks.push(chunk))
            .on('end', () => resolve({ status: response.statusCode!, body: Buffer.concat(chunks).toString('utf8') }));
        },
      );
      sent.on('error', reject).end(body);
    });
}

/** Resident memory of a process and everything below it, in MB; shared pages are counted once (PSS). */
export function residentMb(pid: number): number {
  const parents = new Map<number, number>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      parents.set(Number(entry), Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${entry}/stat`, 'utf8'))![1]));
    } catch {
      // It has just ended.
    }
  }
  const isBelow = (one: number): boolean => one === pid || (parents.has(one) && parents.get(one)! > 1 && isBelow(parents.get(one)!));
  const pssKb = [...parents.keys()].filter(isBelow).map((one) => Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${one}/smaps_rollup`, 'utf8'))?.[1] ?? 0));
  return pssKb.reduce((sum, kb) => sum + kb, 0) / 1024;
}
