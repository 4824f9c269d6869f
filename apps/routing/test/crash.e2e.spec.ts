import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { AgentChanged, newId, OfferAnswered, PresenceChanged, TicketChanged, TicketOpened } from '@tierline/events';
import { decodeEvent, EventLog } from '@tierline/log';
import { eventually, freshDatabase, runServices, testFolder, type FreshDatabase } from '@tierline/testing';
import { DataSource } from 'typeorm';
import { routingService } from '../src/routing.module.ts';

const TICKETS = 400;
const AGENTS = 12;
const CAPACITY = 3;
const KILLS = 3;
/** A process starts in seconds, or in half a minute where everything else runs as well. */
const WITHIN_MS = 90_000;
const LOOK_EVERY_MS = 20;
const TIERLINE_SECRET = randomBytes(32).toString('hex');

let database: FreshDatabase;
let source: DataSource;
let log: EventLog;
let child: ChildProcess | undefined;
let dataDir: string;
let isOver = false;

beforeAll(async () => {
  database = await freshDatabase('routing_crash');
  dataDir = await testFolder('routing-crash');
  // The tables, and a configuration.
  const running = await runServices([routingService], { database, env: { TIERLINE_SECRET } });
  const queues = [
    { name: 'billing', match: { labels: ['billing'] }, skills: { billing: 1 }, rings: [{ skills: { billing: 5 }, for: '300ms' }], offerTimeout: '60s' },
    { name: 'general', offerTimeout: '60s' },
  ];
  expect((await running.request('PUT', '/routing/v1/configuration', { defaultQueue: 'general', queues })).status).toBe(200);
  await running.stop();
  source = await new DataSource({ type: 'postgres', url: database.url }).initialize();
  log = new EventLog(source, { source: 'routing_log', checkEvents: true });
});
afterAll(async () => {
  isOver = true;
  child?.kill('SIGKILL');
  await source.destroy();
  await database.drop();
});

/** The service as a process of its own. */
function startProcess(): ChildProcess {
  const env = { ...process.env, DATABASE_URL: database.url, TIERLINE_SECRET, TIERLINE_DATA: dataDir, PORT: '0' };
  return spawn(process.execPath, ['--import', './tools/ts.mjs', 'apps/routing/src/main.ts'], {
    cwd: join(import.meta.dirname, '../../..'),
    env,
    stdio: 'ignore',
  });
}

const now = (): string => new Date().toISOString();

async function comeIn(): Promise<void> {
  await log.transaction('test', (tx) => {
    for (let n = 0; n < AGENTS; n++) {
      const agentId = `agent-${n}`;
      const skills = [
        { skill: 'tier', level: 1 },
        { skill: 'billing', level: 1 + (n % 10) },
      ];
      tx.append(AgentChanged, agentId, { agentId, name: agentId, team: 'care', pool: 'main', skills, capacity: CAPACITY, active: true, occurredAt: now() });
      tx.append(PresenceChanged, agentId, { agentId, presence: 'available', cause: 'agent', occurredAt: now() });
    }
    return Promise.resolve();
  });
}

async function open(ticketId: string, number: number): Promise<void> {
  await log.transaction('test', (tx) => {
    tx.append(TicketOpened, ticketId, {
      ...{ ticketId, number, contactId: newId(), messageId: newId(), channel: 'email', accountRef: 'support@acme.example', conversationKey: ticketId },
      ...{ customerId: newId(), replyTo: { type: 'email', value: 'ann@example.org', normalized: 'ann@example.org', verified: true } },
      ...{ subject: 'Hello', preview: 'I have a question.', status: 'new', priority: number % 5 === 0 ? 'urgent' : 'normal' },
      ...{ labels: number % 3 === 0 ? ['billing'] : [], tier: 1, silent: false, occurredAt: now(), openedAt: now() },
    });
    return Promise.resolve();
  });
}

/** What the agents do until it is over: they answer every offer once, seven of eight with yes, and solve at once what they get. */
async function work(): Promise<void> {
  const answered = new Set<string>();
  const solved = new Set<string>();
  while (!isOver) {
    const offers = await source.query<{ offer_id: string; ticket_id: string; agent_id: string }[]>(
      'SELECT offer_id, ticket_id, agent_id FROM routing.offer WHERE outcome IS NULL',
    );
    const assigned = await source.query<{ key: string }[]>(`SELECT key FROM routing_log.event_log WHERE type LIKE 'ticket.assigned%'`);
    await log.transaction('test', (tx) => {
      for (const { offer_id: offerId, ticket_id: ticketId, agent_id: agentId } of offers.filter((offer) => !answered.has(offer.offer_id))) {
        const answer = answered.size % 8 === 7 ? 'declined' : 'accepted';
        answered.add(offerId);
        tx.append(OfferAnswered, 'main', { offerId, ticketId, pool: 'main', agentId, answer, occurredAt: now() });
      }
      for (const { key: ticketId } of assigned.filter(({ key }) => !solved.has(key))) {
        solved.add(ticketId);
        tx.append(TicketChanged, ticketId, { ticketId, status: { from: 'open', to: 'solved' }, by: { kind: 'agent' }, occurredAt: now() });
      }
      return Promise.resolve();
    });
    await new Promise((done) => setTimeout(done, LOOK_EVERY_MS));
  }
}

async function count(what: string): Promise<number> {
  const [row] = await source.query<{ count: number }[]>(`SELECT count(*)::int AS count FROM ${what}`);
  return row!.count;
}

/** What was said about each ticket's assignment, in order. */
async function stories(): Promise<Map<string, string[]>> {
  const rows = await source.query<{ payload: string }[]>(`SELECT payload FROM routing_log.event_log WHERE topic = 'assignment' ORDER BY bucket, pos`);
  const told = new Map<string, string[]>();
  for (const { payload } of rows) {
    const { key, type } = decodeEvent(payload)!;
    told.set(key, [...(told.get(key) ?? []), type.replace('ticket.', '')]);
  }
  return told;
}

it(
  'loses, doubles and offers twice nothing while it is killed again and again',
  async () => {
    child = startProcess();
    await comeIn();
    const ids = Array.from({ length: TICKETS }, () => newId());
    const opening = (async () => {
      for (const [number, ticketId] of ids.entries()) await open(ticketId, number + 1);
    })();
    const working = work();
    for (let kill = 0; kill < KILLS; kill++) {
      // Somewhere in the middle of the stream.
      const before = await count('routing.offer');
      await eventually(async () => (await count('routing.offer')) > Math.min(before + 20, TICKETS - 1), { timeoutMs: WITHIN_MS });
      child.kill('SIGKILL');
      await once(child, 'exit');
      child = startProcess();
    }
    await opening;
    await eventually(async () => expect([await count('routing.triaged_ticket WHERE NOT is_open'), await count('routing.work')]).toEqual([TICKETS, 0]), {
      timeoutMs: WITHIN_MS,
    });
    isOver = true;
    await working;

    const told = await stories();
    expect([...told.keys()].sort()).toEqual([...ids].sort());
    // Offered, perhaps declined and offered again, taken once, and given back when it was solved.
    for (const story of told.values()) {
      expect(story.filter((what) => what !== 'ring.opened').join(' ')).toMatch(/^(offered requeued )*offered assigned unassigned$/);
    }
    expect(await count('routing.offer WHERE outcome IS NULL')).toBe(0);
    // What an answer ends and what its agent gets instead are of one transaction, and of one millisecond.
    const together = await source.query(
      `SELECT a.offer_id, b.offer_id FROM routing.offer a JOIN routing.offer b ON a.offer_id < b.offer_id AND (a.agent_id = b.agent_id OR a.ticket_id = b.ticket_id)
       AND a.offered_at < date_trunc('milliseconds', b.ended_at) AND b.offered_at < date_trunc('milliseconds', a.ended_at)`,
    );
    expect(together).toEqual([]);
    expect(await count('routing_log.retry_event')).toBe(0);
  },
  (KILLS + 3) * WITHIN_MS,
);
