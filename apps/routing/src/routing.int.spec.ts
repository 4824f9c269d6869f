import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  AgentChanged,
  ClockWarned,
  EscalationRaised,
  newId,
  PresenceChanged,
  TicketChanged,
  TicketMerged,
  TicketOpened,
  type AgentProfile,
  type Presence,
  type TicketPriority,
  type TicketQueued,
  type TicketStatus,
} from '@tierline/events';
import { eventually, freshDatabase, runServices, type FreshDatabase, type RunningServices } from '@tierline/testing';
import { RetentionWorker } from './retention.worker.ts';
import { routingService } from './routing.module.ts';

const configuration = {
  defaultQueue: 'general',
  queues: [
    { name: 'billing', match: { words: ['refund', 'invoice'] }, skills: { billing: 3 }, offerTimeout: '60s' },
    { name: 'hasty', match: { labels: ['hasty'] }, offerTimeout: '100ms' },
    {
      ...{ name: 'patient', match: { labels: ['patient'] }, skills: { billing: 5 }, preferred: ['german'], offerTimeout: '60s' },
      rings: [{ skills: { billing: 9 }, for: '400ms' }],
    },
    { name: 'long', match: { labels: ['long'] }, rings: [{ skills: { billing: 9 }, for: '60s' }], offerTimeout: '60s' },
    { name: 'deep', match: { labels: ['deep'] }, pool: 'deep', offerTimeout: '60s' },
    { name: 'general', offerTimeout: '60s' },
  ],
  channels: { voice: { weight: 3, interrupts: true } },
  warnedBoost: '1h',
};

let database: FreshDatabase;
let running: RunningServices;
const tokens = new Map<string, string>();
let number = 0;
/** The tickets that the last test has opened. */
let opened: string[] = [];
const NOBODYS_ID = '00000000-0000-4000-8000-000000000000';

const now = (): string => new Date().toISOString();

async function tokenOf(agentId: string): Promise<string> {
  const token = tokens.get(agentId) ?? (await running.tokenFor(agentId, 'agent'));
  tokens.set(agentId, token);
  return token;
}

async function openTicket(given: Partial<TicketOpened['data']> = {}): Promise<string> {
  const ticketId = given.ticketId ?? newId();
  opened.push(ticketId);
  await running.append(TicketOpened, ticketId, {
    ticketId,
    number: ++number,
    contactId: newId(),
    messageId: newId(),
    channel: 'email',
    accountRef: 'support@acme.example',
    conversationKey: ticketId,
    customerId: newId(),
    replyTo: { type: 'email', value: 'ann@example.org', normalized: 'ann@example.org', verified: true },
    subject: 'Hello',
    preview: 'I have a question.',
    status: 'new',
    priority: 'normal',
    labels: [],
    tier: 1,
    silent: false,
    occurredAt: now(),
    openedAt: now(),
    ...given,
  });
  return ticketId;
}

async function changeTicket(ticketId: string, change: { status?: [TicketStatus, TicketStatus]; priority?: [TicketPriority, TicketPriority] }): Promise<void> {
  await running.append(TicketChanged, ticketId, {
    ticketId,
    ...(change.status && { status: { from: change.status[0], to: change.status[1] } }),
    ...(change.priority && { priority: { from: change.priority[0], to: change.priority[1] } }),
    by: { kind: 'agent' },
    occurredAt: now(),
  });
}

async function escalate(ticketId: string, given: Partial<EscalationRaised['data']> = {}): Promise<void> {
  await running.append(EscalationRaised, ticketId, {
    escalationId: newId(),
    ticketId,
    kind: 'automatic',
    fromTier: 1,
    toTier: 2,
    tierPath: [1, 2],
    reason: { code: 'sla_breach', text: 'first response missed' },
    priority: 'normal',
    by: { kind: 'system' },
    raisedAt: now(),
    ...given,
  });
}

async function addAgent(agentId: string, given: Partial<AgentProfile> & { tier?: number; billing?: number } = {}): Promise<void> {
  const { tier = 1, billing, ...profile } = given;
  const skills = [{ skill: 'tier', level: tier }, ...(billing === undefined ? [] : [{ skill: 'billing', level: billing }])];
  await running.append(AgentChanged, agentId, {
    agentId,
    name: agentId,
    team: 'care',
    pool: 'main',
    skills,
    capacity: 1,
    active: true,
    occurredAt: now(),
    ...profile,
  });
}

async function setPresence(agentId: string, presence: Presence): Promise<void> {
  await running.append(PresenceChanged, agentId, { agentId, presence, cause: 'agent', occurredAt: now() });
}

async function comeIn(agentId: string, given: Parameters<typeof addAgent>[1] = {}): Promise<void> {
  await addAgent(agentId, given);
  await setPresence(agentId, 'available');
  await eventually(async () =>
    expect((await running.request('GET', '/routing/v1/agents')).body.agents).toContainEqual(expect.objectContaining({ agentId, presence: 'available' })),
  );
}

/** The events about a ticket's assignment, in words. */
async function story(ticketId: string): Promise<string[]> {
  return (await running.events('assignment'))
    .filter(({ key }) => key === ticketId)
    .map(({ type, data }) => {
      const { agentId, reason } = data as { agentId?: string; reason?: string };
      return [type.replace('ticket.', ''), agentId, reason].filter((word) => word !== undefined).join(' ');
    });
}

const tells = (ticketId: string, expected: string[]): Promise<void> => eventually(async () => expect(await story(ticketId)).toEqual(expected));

async function offerOf(ticketId: string, agentId: string): Promise<string> {
  const token = await tokenOf(agentId);
  return eventually(async () => {
    const { body } = await running.request('GET', '/routing/v1/offers', undefined, token);
    return (body.offers as { ticketId: string; offerId: string }[]).find((offer) => offer.ticketId === ticketId)?.offerId ?? null;
  });
}

async function answer(ticketId: string, agentId: string, verb: 'accept' | 'decline') {
  return running.request('POST', `/routing/v1/offers/${await offerOf(ticketId, agentId)}/${verb}`, {}, await tokenOf(agentId));
}

/** Everybody leaves, so that the next test begins with nobody. */
async function empty(): Promise<void> {
  const { body } = await running.request('GET', '/routing/v1/agents');
  for (const { agentId, pool } of body.agents as { agentId: string; pool: string }[]) {
    await addAgent(agentId, { pool, active: false });
    await setPresence(agentId, 'offline');
  }
  // In the order of its key, after whatever triage has not come to yet.
  for (const ticketId of opened) await changeTicket(ticketId, { status: ['open', 'closed'] });
  await eventually(async () => {
    const isOpen =
      'SELECT 1 FROM routing.triaged_ticket WHERE is_open UNION ALL SELECT 1 FROM unnest($1::uuid[]) AS o(id) WHERE id NOT IN (SELECT ticket_id FROM routing.triaged_ticket)';
    expect(await running.log.dataSource.query(isOpen, [opened])).toEqual([]);
    expect(await running.log.dataSource.query('SELECT 1 FROM routing.work')).toEqual([]);
    expect((await running.request('GET', '/routing/v1/agents')).body.agents).toEqual([]);
  });
  opened = [];
}

beforeAll(async () => {
  database = await freshDatabase('routing');
  running = await runServices([routingService], { database });
  expect((await running.request('PUT', '/routing/v1/configuration', configuration)).body).toEqual({ changed: 1 });
});
beforeEach(empty);
afterAll(async () => {
  await running.stop();
  await database.drop();
});

describe('configuration', () => {
  it('is applied once', async () => {
    const before = await running.events();
    expect((await running.request('PUT', '/routing/v1/configuration', configuration)).body).toEqual({ changed: 0 });
    expect(await running.events()).toEqual(before);
    expect(await running.log.dataSource.query('SELECT version FROM routing.configuration')).toHaveLength(1);
  });

  it('is refused whole, with every fault and its path', async () => {
    const { status, body } = await running.request('PUT', '/routing/v1/configuration', { defaultQueue: 'none', queues: [{ name: 'a', offerTimeout: 'soon' }] });
    expect(status).toBe(422);
    expect(body.faults).toEqual([
      { path: 'queues.0.offerTimeout', message: 'expected a duration such as 30s, 15m or 8h' },
      { path: 'defaultQueue', message: 'there is no queue "none"' },
      { path: 'queues.0.match', message: 'a queue that is not the default needs conditions' },
    ]);
  });
});

describe('a ticket', () => {
  it('waits in its queue, is offered to who qualifies, and is theirs when they accept', async () => {
    await comeIn('ben');
    await setPresence('ben', 'away');
    await comeIn('ada', { billing: 5, capacity: 2 });
    const ticketId = await openTicket({ subject: 'Refund, please' });
    const { status, body } = await answer(ticketId, 'ada', 'accept');
    expect([status, body]).toEqual([202, { assigned: true, outcome: 'accepted' }]);
    expect(await story(ticketId)).toEqual(['offered ada', 'assigned ada']);

    const waiting = await openTicket({ subject: 'Refund, too' });
    const offerId = await offerOf(waiting, 'ada');
    const { body: queues } = await running.request('GET', '/routing/v1/queues');
    expect(queues.queues).toContainEqual({ queue: 'billing', pool: 'main', waiting: 0, longestWaitMs: 0, offered: 1, assigned: 1 });
    expect(queues.queues).toContainEqual({ queue: 'deep', pool: 'deep', waiting: 0, longestWaitMs: 0, offered: 0, assigned: 0 });
    const { body: agents } = await running.request('GET', '/routing/v1/agents');
    expect(agents.agents).toEqual([
      { agentId: 'ada', pool: 'main', presence: 'available', responding: true, capacity: 2, used: 1, assigned: 1, offered: 1 },
      { agentId: 'ben', pool: 'main', presence: 'away', responding: true, capacity: 1, used: 0, assigned: 0, offered: 0 },
    ]);
    const { body: decisions } = await running.request('GET', `/routing/v1/tickets/${waiting}/decisions`);
    expect(decisions.decisions).toEqual([
      expect.objectContaining({
        offerId,
        ticketId: waiting,
        agentId: 'ada',
        queue: 'billing',
        tier: 1,
        outcome: null,
        decision: expect.objectContaining({ ring: 0, candidates: 1 }),
      }),
    ]);
  });

  it('is offered to the next when it is declined', async () => {
    await comeIn('ada');
    await comeIn('ben');
    const ticketId = await openTicket();
    expect((await answer(ticketId, 'ada', 'decline')).body).toEqual({ assigned: false, outcome: 'declined' });
    expect((await answer(ticketId, 'ben', 'accept')).body).toEqual({ assigned: true, outcome: 'accepted' });
    expect(await story(ticketId)).toEqual(['offered ada', 'requeued ada declined', 'offered ben', 'assigned ben']);
  });

  it('is offered to the next when the offer rings out, with the age it had', async () => {
    await comeIn('ada');
    await comeIn('ben');
    const openedAt = '2025-06-02T08:00:00.000Z';
    const ticketId = await openTicket({ labels: ['hasty'], openedAt });
    await tells(ticketId, ['offered ada', 'requeued ada expired', 'offered ben', 'requeued ben expired']);
    const events = (await running.events('assignment')).filter(({ key }) => key === ticketId);
    expect(events[1]!.data).toMatchObject({ enqueuedAt: openedAt });
    expect(events[2]!.data).toMatchObject({ waitedMs: expect.any(Number) });
    // Neither gets anything more until they come back.
    const next = await openTicket();
    await setPresence('ada', 'away');
    await setPresence('ada', 'available');
    await eventually(async () => expect((await story(ticketId)).slice(4)).toContain('offered ada'));
    expect(await story(next)).toEqual([]);
  });

  it('waits again, with the age it had, when its agent goes offline', async () => {
    await comeIn('ada', { capacity: 2 });
    const first = await openTicket();
    await answer(first, 'ada', 'accept');
    const second = await openTicket();
    await tells(second, ['offered ada']);
    await setPresence('ada', 'offline');
    await tells(second, ['offered ada', 'requeued ada agent_offline']);
    await tells(first, ['offered ada', 'assigned ada', 'unassigned ada agent_offline', 'requeued ada agent_offline']);
    await comeIn('ben');
    await tells(first, ['offered ada', 'assigned ada', 'unassigned ada agent_offline', 'requeued ada agent_offline', 'offered ben']);
  });

  it('leaves its agent when it is solved, and comes back when it is reopened', async () => {
    await comeIn('ada');
    const ticketId = await openTicket();
    await answer(ticketId, 'ada', 'accept');
    const next = await openTicket();
    await changeTicket(ticketId, { status: ['open', 'solved'] });
    await tells(next, ['offered ada']);
    await changeTicket(ticketId, { status: ['solved', 'closed'] });
    await changeTicket(next, { status: ['new', 'solved'] });
    await changeTicket(ticketId, { status: ['closed', 'open'] });
    await tells(ticketId, ['offered ada', 'assigned ada', 'unassigned ada solved', 'offered ada']);
    expect((await running.request('GET', `/routing/v1/tickets/${next}/decisions`)).body.decisions).toEqual([expect.objectContaining({ outcome: 'solved' })]);
  });

  it('is withdrawn when it is merged into another', async () => {
    await comeIn('ada');
    const [merged, into] = [await openTicket(), await openTicket()];
    await tells(merged, ['offered ada']);
    for (const key of [merged, into]) {
      await running.append(TicketMerged, key, { ticketId: merged, intoTicketId: into, by: { kind: 'agent' }, occurredAt: now() });
    }
    await tells(into, ['offered ada']);
    expect(await story(merged)).toEqual(['offered ada']);
  });

  it('moves ahead in its queue when its priority is raised', async () => {
    const [first, second] = [await openTicket(), await openTicket()];
    await changeTicket(second, { priority: ['normal', 'urgent'] });
    await eventually(async () =>
      expect(await running.log.dataSource.query(`SELECT 1 FROM routing.work WHERE ticket_id = $1 AND state->>'priority' = 'urgent'`, [second])).toHaveLength(1),
    );
    await comeIn('ada');
    await tells(second, ['offered ada']);
    expect(await story(first)).toEqual([]);
  });

  it('moves up a tier when it is escalated: away from its agent, with the age it had', async () => {
    await comeIn('ada', { capacity: 2 });
    await comeIn('kim', { tier: 2, team: 'experts' });
    const openedAt = '2025-06-02T08:00:00.000Z';
    const ticketId = await openTicket({ openedAt });
    await answer(ticketId, 'ada', 'accept');
    await escalate(ticketId, { team: 'experts' });
    await tells(ticketId, ['offered ada', 'assigned ada', 'unassigned ada escalated', 'offered kim']);
    expect(
      (await running.events('work')).filter(({ type, data }) => type === 'ticket.queued' && (data as { ticketId: string }).ticketId === ticketId).at(-1)!.data,
    ).toMatchObject({
      reason: 'escalated',
      tier: 2,
      enqueuedAt: openedAt,
      required: [
        { skill: 'team:experts', minLevel: 1 },
        { skill: 'tier', minLevel: 2 },
      ],
    });
  });

  it('moves to another pool when only that has people of the tier', async () => {
    await comeIn('ada');
    await comeIn('kim', { tier: 2, pool: 'deep' });
    const ticketId = await openTicket();
    await answer(ticketId, 'ada', 'accept');
    await escalate(ticketId);
    await eventually(async () => expect((await story(ticketId)).sort()).toEqual(['assigned ada', 'offered ada', 'offered kim', 'unassigned ada escalated']));
    const { body } = await running.request('GET', '/routing/v1/queues');
    expect(body.queues).toContainEqual(expect.objectContaining({ queue: 'general', pool: 'deep', offered: 1 }));
    expect(body.queues).toContainEqual(expect.objectContaining({ queue: 'general', pool: 'main', offered: 0, assigned: 0 }));
  });

  it('is escalated as soon as it is triaged, when news of the escalation came first', async () => {
    await comeIn('kim', { tier: 2 });
    const ticketId = newId();
    await escalate(ticketId);
    await eventually(async () =>
      expect(await running.log.dataSource.query('SELECT queued FROM routing.triaged_ticket WHERE ticket_id = $1', [ticketId])).toEqual([{ queued: null }]),
    );
    await openTicket({ ticketId });
    await eventually(async () => expect((await running.request('GET', `/routing/v1/tickets/${ticketId}/decisions`)).body.decisions).toHaveLength(2));
    expect(await story(ticketId)).toEqual(['offered kim', 'offered kim']);
    expect(await running.log.dataSource.query(`SELECT early_escalations FROM routing.triaged_ticket WHERE ticket_id = $1`, [ticketId])).toEqual([
      { early_escalations: [] },
    ]);
    expect(await running.log.dataSource.query(`SELECT 1 FROM ${running.log.schema}.retry_event`)).toEqual([]);
  });

  it('is escalated also when another process triages it at that moment', async () => {
    const ticketId = newId();
    opened.push(ticketId);
    const queued: TicketQueued['data'] = {
      ...{ ticketId, pool: 'main', queue: 'general', channel: 'email', priority: 'normal', tier: 1, required: [{ skill: 'tier', minLevel: 1 }] },
      ...{ weight: 1, offerTimeoutMs: 60_000, reason: 'opened', enqueuedAt: now() },
    };
    await running.log.transaction('another', async (tx) => {
      await tx.query('INSERT INTO routing.triaged_ticket (ticket_id, queued, is_open) VALUES ($1, $2, true)', [ticketId, queued]);
      await escalate(ticketId);
      await eventually(async () =>
        expect(
          await running.log.dataSource.query(`SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%early_escalations%'`),
        ).toHaveLength(1),
      );
    });
    await eventually(async () =>
      expect(await running.log.dataSource.query('SELECT queued, early_escalations FROM routing.triaged_ticket WHERE ticket_id = $1', [ticketId])).toEqual([
        { queued: expect.objectContaining({ tier: 2, reason: 'escalated' }), early_escalations: [] },
      ]),
    );
  });

  it('that is solved is not queued by an escalation that comes late, but keeps the tier for when it is reopened', async () => {
    const ticketId = await openTicket();
    await changeTicket(ticketId, { status: ['new', 'solved'] });
    await eventually(async () =>
      expect(await running.log.dataSource.query('SELECT 1 FROM routing.triaged_ticket WHERE ticket_id = $1 AND NOT is_open', [ticketId])).toHaveLength(1),
    );
    await escalate(ticketId, { toTier: 3 });
    await eventually(async () =>
      expect(
        await running.log.dataSource.query(`SELECT 1 FROM routing.triaged_ticket WHERE ticket_id = $1 AND queued->>'tier' = '3'`, [ticketId]),
      ).toHaveLength(1),
    );
    expect(await running.log.dataSource.query('SELECT 1 FROM routing.work WHERE ticket_id = $1', [ticketId])).toEqual([]);
    await changeTicket(ticketId, { status: ['solved', 'open'] });
    await comeIn('kim', { tier: 3 });
    await eventually(async () =>
      expect((await running.request('GET', `/routing/v1/tickets/${ticketId}/decisions`)).body).toMatchObject({ decisions: [{ tier: 3, outcome: null }] }),
    );
  });
});

describe('a ring', () => {
  it('opens by its timer, and says so', async () => {
    await comeIn('kim', { billing: 9, capacity: 1 });
    await setPresence('kim', 'away');
    await comeIn('ada', { billing: 5 });
    const ticketId = await openTicket({ labels: ['patient'] });
    await tells(ticketId, ['ring.opened time', 'offered ada']);
    const [opening] = (await running.events('assignment')).filter(({ key }) => key === ticketId);
    expect(opening!.data).toMatchObject({ queue: 'patient', ring: 1, reason: 'time', candidates: 2, required: [{ skill: 'billing', minLevel: 5 }, {}] });
    expect((await answer(ticketId, 'ada', 'accept')).body).toEqual({ assigned: true, outcome: 'accepted' });
    expect(await running.log.dataSource.query(`SELECT 1 FROM ${running.log.schema}.timer WHERE name LIKE 'ring:%'`)).toEqual([]);
  });

  it('is over for a ticket that is solved before', async () => {
    await comeIn('kim', { billing: 9 });
    await setPresence('kim', 'away');
    const ticketId = await openTicket({ labels: ['long'] });
    const timers = (): Promise<unknown[]> => running.log.dataSource.query(`SELECT 1 FROM ${running.log.schema}.timer WHERE name = $1`, [`ring:${ticketId}`]);
    await eventually(async () => expect(await timers()).toHaveLength(1));
    await changeTicket(ticketId, { status: ['new', 'solved'] });
    await eventually(async () => expect(await timers()).toEqual([]));
  });
});

describe('a pool', () => {
  it('goes by its new rules at once, also with what waits', async () => {
    const [low, urgent] = [await openTicket({ priority: 'normal', openedAt: '2025-06-02T08:00:00.000Z' }), await openTicket({ priority: 'urgent' })];
    const strict = { ...configuration, pools: [{ name: 'main', contactOrder: 'strict', maxAge: '20000d' }] };
    expect((await running.request('PUT', '/routing/v1/configuration', strict)).body).toEqual({ changed: 1 });
    await eventually(async () =>
      expect(await running.log.dataSource.query(`SELECT rules->>'contactOrder' AS its FROM routing.pool WHERE pool = 'main'`)).toEqual([{ its: 'strict' }]),
    );
    await comeIn('ada');
    await tells(urgent, ['offered ada']);
    expect(await story(low)).toEqual([]);
    await running.request('PUT', '/routing/v1/configuration', configuration);
    await eventually(async () =>
      expect(await running.log.dataSource.query(`SELECT rules->>'contactOrder' AS its FROM routing.pool WHERE pool = 'main'`)).toEqual([{ its: 'oldest' }]),
    );
  });
});

describe('a ticket whose time runs out', () => {
  it('moves ahead once by what the configuration says', async () => {
    await openTicket({ openedAt: '2025-06-02T08:00:00.000Z' });
    const warned = await openTicket({ openedAt: '2025-06-02T08:30:00.000Z' });
    for (let n = 0; n < 2; n++) {
      await running.append(ClockWarned, warned, {
        ...{ clockId: newId(), ticketId: warned, metric: 'first_response', percent: 50 + n },
        ...{ dueAt: now(), warnedAt: now() },
      });
    }
    await eventually(async () =>
      expect(await running.log.dataSource.query(`SELECT 1 FROM routing.work WHERE (state->'boostMs')::int = 3600000`)).toHaveLength(1),
    );
    await comeIn('ada');
    await tells(warned, ['offered ada']);
  });
});

describe('what ended long ago', () => {
  it('is removed, and nothing else', async () => {
    await comeIn('ada', { capacity: 3 });
    const taken: string[] = [];
    for (let n = 0; n < 2; n++) {
      taken.push(await openTicket());
      await answer(taken[n]!, 'ada', 'accept');
      await changeTicket(taken[n]!, { status: ['open', 'solved'] });
    }
    const [old, done, held] = [taken[0]!, taken[1]!, await openTicket()];
    await tells(held, ['offered ada']);
    const { dataSource } = running.log;
    await eventually(async () => expect(await dataSource.query('SELECT 1 FROM routing.triaged_ticket WHERE is_open')).toHaveLength(1));
    await dataSource.query(`UPDATE routing.offer SET offered_at = '2020-01-01', ended_at = '2020-01-01' WHERE ticket_id = $1`, [old]);
    await dataSource.query(`UPDATE routing.offer SET offered_at = '2020-01-01' WHERE ticket_id = $1`, [held]);
    await dataSource.query(`UPDATE routing.triaged_ticket SET changed_at = '2020-01-01' WHERE ticket_id = ANY($1)`, [[old, held]]);
    await running.app.get(RetentionWorker).sweep();
    const left = async (table: string): Promise<string[]> =>
      (await dataSource.query<{ ticket_id: string }[]>(`SELECT ticket_id FROM routing.${table} WHERE ticket_id = ANY($1)`, [[old, done, held]]))
        .map(({ ticket_id: ticketId }) => ticketId)
        .sort();
    expect(await left('offer')).toEqual([done, held].sort());
    expect(await left('triaged_ticket')).toEqual([done, held].sort());
    opened = opened.filter((ticketId) => ticketId !== old);
  });
});

describe('an agent', () => {
  it('who moves to another pool leaves their tickets and gets those of the other', async () => {
    await comeIn('ada');
    const [main, deep] = [await openTicket(), await openTicket({ labels: ['deep'] })];
    await answer(main, 'ada', 'accept');
    await addAgent('ada', { pool: 'deep' });
    await tells(deep, ['offered ada']);
    await tells(main, ['offered ada', 'assigned ada', 'unassigned ada agent_offline', 'requeued ada agent_offline']);
    expect((await running.request('GET', '/routing/v1/agents')).body.agents).toEqual([expect.objectContaining({ agentId: 'ada', pool: 'deep' })]);
  });
});

describe('an offer', () => {
  it('can be answered only by its agent, and only while it is open', async () => {
    await comeIn('ada');
    const ticketId = await openTicket();
    const offerId = await offerOf(ticketId, 'ada');
    const accept = (token?: string | null) => running.request('POST', `/routing/v1/offers/${offerId}/accept`, {}, token);
    expect((await accept(await tokenOf('ben'))).body).toMatchObject({ status: 403, title: 'offer.not_yours' });
    expect((await accept(null)).status).toBe(401);
    expect((await running.request('POST', `/routing/v1/offers/${newId()}/accept`, {}, await tokenOf('ada'))).status).toBe(404);
    expect((await running.request('POST', '/routing/v1/offers/one/accept', {}, await tokenOf('ada'))).status).toBe(400);
    expect((await accept(await tokenOf('ada'))).status).toBe(202);
    expect((await accept(await tokenOf('ada'))).body).toMatchObject({ status: 409, title: 'offer.ended', detail: 'the offer is not open any more: accepted' });
  });

  it('is answered once, however often it is asked at the same time', async () => {
    await comeIn('ada');
    const ticketId = await openTicket();
    const offerId = await offerOf(ticketId, 'ada');
    const token = await tokenOf('ada');
    const answers = await Promise.all(
      ['accept', 'decline', 'accept', 'decline'].map(async (verb) => ({
        verb,
        ...(await running.request('POST', `/routing/v1/offers/${offerId}/${verb}`, {}, token)),
      })),
    );
    const told = await story(ticketId);
    const isAccepted = told.includes('assigned ada');
    for (const { verb, status } of answers) expect(status).toBe((verb === 'accept') === isAccepted ? 202 : 409);
    expect(told.slice(0, 2)).toEqual(['offered ada', isAccepted ? 'assigned ada' : 'requeued ada declined']);
  });

  it.each<[string, string]>([
    ['GET', '/routing/v1/queues'],
    ['GET', '/routing/v1/agents'],
    ['GET', `/routing/v1/tickets/${NOBODYS_ID}/decisions`],
    ['GET', '/routing/v1/offers'],
    ['POST', `/routing/v1/offers/${NOBODYS_ID}/accept`],
    ['POST', `/routing/v1/offers/${NOBODYS_ID}/decline`],
    ['PUT', '/routing/v1/configuration'],
  ])('and all else is guarded: %s %s', async (method, path) => {
    const client = tokens.get('client') ?? (await running.tokenFor('importer', 'client'));
    tokens.set('client', client);
    expect((await running.request(method, path, method === 'GET' ? undefined : {}, null)).status).toBe(401);
    expect((await running.request(method, path, method === 'GET' ? undefined : {}, client)).status).toBe(403);
  });

  it('of another agent is shown to a lead only', async () => {
    await comeIn('ada');
    const ticketId = await openTicket();
    await offerOf(ticketId, 'ada');
    const lead = await running.tokenFor('ines', 'lead');
    expect((await running.request('GET', '/routing/v1/offers?agent=ada', undefined, lead)).body.offers).toHaveLength(1);
    expect((await running.request('GET', '/routing/v1/offers?agent=ada', undefined, await tokenOf('ben'))).status).toBe(403);
  });
});

describe('what the process forgets', () => {
  it('is read again after a restart: nothing is lost, and nothing is offered twice', async () => {
    await comeIn('ada', { capacity: 2 });
    const assigned = await openTicket();
    await answer(assigned, 'ada', 'accept');
    const offered = await openTicket();
    await tells(offered, ['offered ada']);
    const offerId = await offerOf(offered, 'ada');
    const [first, second] = [await openTicket(), await openTicket()];
    await eventually(async () => expect(await running.log.dataSource.query('SELECT 1 FROM routing.work')).toHaveLength(4));

    await running.stop();
    running = await runServices([routingService], { database });

    await comeIn('ben', { capacity: 1 });
    await tells(first, ['offered ben']);
    expect(await story(second)).toEqual([]);
    expect(await story(offered)).toEqual(['offered ada']);
    expect((await running.request('POST', `/routing/v1/offers/${offerId}/accept`, {}, await tokenOf('ada'))).body).toEqual({
      assigned: true,
      outcome: 'accepted',
    });
    // Ada is full now: two of two.
    expect(await story(second)).toEqual([]);
    await changeTicket(assigned, { status: ['open', 'solved'] });
    await tells(second, ['offered ada']);
    await tells(assigned, ['offered ada', 'assigned ada', 'unassigned ada solved']);
  });

  it('lets offers ring out that did so while it was down', async () => {
    await comeIn('ada');
    await running.request('PUT', '/routing/v1/configuration', { defaultQueue: 'general', queues: [{ name: 'general', offerTimeout: '1s' }] });
    const ticketId = await openTicket();
    await tells(ticketId, ['offered ada']);
    await running.stop();
    running = await runServices([routingService], { database });
    await tells(ticketId, ['offered ada', 'requeued ada expired']);
    await running.request('PUT', '/routing/v1/configuration', configuration);
  });

  it('is rolled back with its transaction', async () => {
    await comeIn('ada', { capacity: 3 });
    const { dataSource } = running.log;
    await dataSource.query(`
      CREATE SEQUENCE routing.tries;
      CREATE FUNCTION routing.fail_once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF nextval('routing.tries') = 1 THEN RAISE EXCEPTION 'as if two had met' USING ERRCODE = '40001'; END IF;
        RETURN NEW; END $$;
      CREATE TRIGGER fail_once BEFORE INSERT ON routing.offer FOR EACH ROW EXECUTE FUNCTION routing.fail_once();`);
    const ticketId = await openTicket();
    await tells(ticketId, ['offered ada']);
    expect(await dataSource.query(`SELECT last_value::int AS tries FROM routing.tries`)).toEqual([{ tries: 2 }]);
    await dataSource.query('DROP FUNCTION routing.fail_once CASCADE; DROP SEQUENCE routing.tries');
    expect((await answer(ticketId, 'ada', 'accept')).body).toEqual({ assigned: true, outcome: 'accepted' });
    expect(await dataSource.query(`SELECT outcome FROM routing.offer WHERE ticket_id = $1`, [ticketId])).toEqual([{ outcome: 'accepted' }]);
  });

  it('is not trusted when another owner has moved the pool', async () => {
    await comeIn('ada');
    const { dataSource } = running.log;
    await dataSource.transaction(async (manager) => {
      await manager.query(`UPDATE routing.pool SET version = version + 1 WHERE pool = 'main'`);
      await manager.query(`UPDATE routing.agent SET state = jsonb_set(state, '{profile,capacity}', '0') WHERE agent_id = 'ada'`);
    });
    const ticketId = await openTicket();
    await eventually(async () => expect(await dataSource.query('SELECT 1 FROM routing.work WHERE ticket_id = $1', [ticketId])).toHaveLength(1));
    expect(await story(ticketId)).toEqual([]);
  });
});
