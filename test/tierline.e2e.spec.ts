import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { freePort } from '@tierline/service/free-port';
import { eventually } from '@tierline/testing';

const WITHIN_MS = 180_000;
const COMES_UP_WITHIN_MS = 60_000;

/** Runs the program as `npm start` and `npm run demo` do, on nothing but what it brings along. */
function tierline(args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  const { DATABASE_URL: _database, KAFKA_BROKERS: _brokers, ...inherited } = process.env;
  return spawn(process.execPath, [join(import.meta.dirname, '../tools/run.mjs'), ...args], {
    env: { ...inherited, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

describe('npm run demo', () => {
  it(
    'ends by itself, and what it did adds up',
    async () => {
      const demo = tierline(['demo', '--seconds', '6']);
      const [said, complained, [status]] = await Promise.all([text(demo.stdout!), text(demo.stderr!), once(demo, 'exit')]);
      expect({ status, complained: status === 0 ? '' : complained, said: status === 0 ? '' : said }).toEqual({ status: 0, complained: '', said: '' });
      expect(said).toMatch(/0 lost[\s\S]*0 doubled/);
    },
    WITHIN_MS,
  );
});

describe('npm start', () => {
  let dataDir: string;
  let running: ChildProcess | undefined;
  let url: string;

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'tierline-start-'));
  });
  afterEach(async () => {
    await end('SIGTERM');
    await rm(dataDir, { recursive: true, force: true });
  });

  async function start(): Promise<void> {
    const [port, smtpPort] = [await freePort(), await freePort()];
    running = tierline(['start'], { TIERLINE_DATA: dataDir, PORT: String(port), SMTP_PORT: String(smtpPort) });
    running.stdout!.resume();
    running.stderr!.resume();
    url = `http://127.0.0.1:${port}`;
    await eventually(async () => (await fetch(`${url}/ready`)).ok, { timeoutMs: COMES_UP_WITHIN_MS });
  }

  async function end(by: NodeJS.Signals): Promise<number | null> {
    if (!running || running.exitCode !== null || running.signalCode !== null) return null;
    const exit = once(running, 'exit');
    running.kill(by);
    const [status] = (await exit) as [number | null];
    return status;
  }

  async function ask(path: string, init: RequestInit = {}): Promise<{ status: number; body: Record<string, unknown> }> {
    const token = (await readFile(join(dataDir, 'admin-token'), 'utf8')).trim();
    const response = await fetch(`${url}${path}`, {
      ...init,
      headers: { ...init.headers, authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  /** What a command of ours prints. Fails with what it complains of. */
  async function command(...args: string[]): Promise<string> {
    const child = tierline([...args, '--url', url], { TIERLINE_DATA: dataDir });
    const [said, complained, [status]] = await Promise.all([text(child.stdout!), text(child.stderr!), once(child, 'exit')]);
    expect({ status, complained }).toEqual({ status: 0, complained: '' });
    return said;
  }

  it(
    'is configured from a file, and says of a ticket why it is due when it is',
    async () => {
      await start();
      const file = join(dataDir, 'tierline.yaml');
      await writeFile(file, 'escalation:\n  policies:\n    - { name: standard, firstResponse: 1h, resolution: 8h }\n');
      expect(await command('apply', file)).toContain('escalation: 1 changed');
      expect(await command('apply', file)).toContain('escalation: unchanged');
      const contact = { from: { type: 'email', value: 'bob@example.org', verified: true }, text: 'Is anybody there?' };
      const { body } = await ask('/portal/v1/contacts', { method: 'POST', body: JSON.stringify(contact), headers: { 'idempotency-key': 'second' } });
      const number = await eventually(async () => ((await ask(body['href'] as string)).body['ticket'] as { number?: number } | undefined)?.number ?? null);
      await eventually(async () => {
        const { body: shown } = await ask(`/tickets/v1/tickets/${number}`);
        return ((await ask(`/escalation/v1/tickets/${String(shown['id'])}/clocks`)).body['clocks'] as unknown[]).length === 2;
      });
      expect(await command('explain', String(number))).toMatch(
        /^first response: running\n +target 1h by policy standard\/1[\s\S]*\nresolution: running\n +target 8h/,
      );
    },
    WITHIN_MS,
  );

  it(
    'continues where it stopped, after kill -9 and after SIGTERM',
    async () => {
      const contact = { from: { type: 'email', value: 'ann@example.org', verified: true }, subject: 'Hello', text: 'Is anybody there?' };
      const submit = () => ask('/portal/v1/contacts', { method: 'POST', body: JSON.stringify(contact), headers: { 'idempotency-key': 'first' } });

      await start();
      const taken = await submit();
      expect(taken.status).toBe(202);
      // Right after the acknowledgement: nothing has been made of it yet, or half of it.
      await end('SIGKILL');

      await start();
      expect((await submit()).body).toEqual(taken.body);
      const ticket = await eventually(async () => (await ask(taken.body['href'] as string)).body['ticket'] ?? null);
      expect(await end('SIGTERM')).toBe(0);

      await start();
      expect((await ask(taken.body['href'] as string)).body['ticket']).toEqual(ticket);
    },
    WITHIN_MS,
  );
});
