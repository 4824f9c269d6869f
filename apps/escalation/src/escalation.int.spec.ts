import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  AgentChanged,
  ClockDue,
  newId,
  TicketAssigned,
  TicketChanged,
  TicketMerged,
  TicketOpened,
  TicketReplied,
  type DataOf,
  type Event,
  type TicketStatus,
} from '@tierline/events';
import { emailParty, eventually, freshDatabase, runServices, type Answer, type FreshDatabase, type RunningServices } from '@tierline/testing';
import { escalationService } from './escalation.module.ts';

const CONFIGURATION = {
  calendars: {
    nights: {
      timeZone: 'Asia/Kathmandu',
      hours: Object.fromEntries(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'].map((day) => [day, [['20:00', '19:00']]])),
    },
  },
  policies: [
    { name: 'cycles', match: { labels: ['cycles'] }, calendar: 'nights', firstResponse: '1h', nextResponse: '2h' },
    { name: 'adopt', match: { labels: ['adopt'] }, resolution: '8h' },
    { name: 'patient', match: { labels: ['patient'] }, firstResponse: '1h', warnAt: 0.001 },
    { name: 'urgent', match: { priorities: ['urgent'] }, firstResponse: '200ms', resolution: '1h', warnAt: 50 },
    { name: 'low', match: { priorities: ['low'] }, resolution: '30ms', warnAt: 50 },
    { name: 'standard', firstResponse: '1h', resolution: '8h' },
  ],
  tiers: [
    { tier: 1, team: 'care' },
    { tier: 2, team: 'experts' },
  ],
};

let database: FreshDatabase;
let tierline: RunningServices;

beforeAll(async () => {
  database = await freshDatabase('escalation');
  tierline = await runServices([escalationService], { database });
  const answer = await tierline.request('PUT', '/escalation/v1/configuration', CONFIGURATION);
  expect(answer.body).toEqual({ changed: 8 });
  const profile = { pool: 'main', skills: [], capacity: 1, active: true, name: 'Somebody', occurredAt: new Date().toISOString() };
  await tierline.append(AgentChanged, 'ann', { ...profile, agentId: 'ann', team: 'care', managerId: 'lea' });
  await tierline.append(AgentChanged, 'lea', { ...profile, agentId: 'lea', team: 'care', managerId: 'dan' });
  await tierline.append(AgentChanged, 'max', { ...profile, agentId: 'max', team: 'experts', managerId: 'eva' });
  await tierline.append(AgentChanged, 'eva', { ...profile, agentId: 'eva', team: 'experts' });
  await tierline.append(AgentChanged, 'dan', { ...profile, agentId: 'dan', team: 'board' });
  await eventually(async () => expect(await rows('SELECT 1 FROM escalation.agent')).toHaveLength(5));
});
afterAll(async () => {
  await tierline.stop();
  await database.drop();
});

const rows = (sql: string, parameters: unknown[] = []): Promise<Record<string, unknown>[]> => tierline.log.dataSource.query(sql, parameters);

function sample(rest: Partial<DataOf<typeof TicketOpened>> = {}): DataOf<typeof TicketOpened> {
  const at = new Date().toISOString();
  return {
    ticketId: newId(),
    number: 1,
    contactId: newId(),
    messageId: newId(),
    channel: 'email',
    accountRef: 'support@acme.example',
    conversationKey: 'k',
    customerId: newId(),
    replyTo: emailParty('ann@example.org'),
    subject: 'The bill is wrong',
    preview: '',
    status: 'new',
    priority: 'normal',
    labels: [],
    tier: 1,
    silent: false,
    occurredAt: at,
    openedAt: at,
    ...rest,
  };
}

async function open(rest: Partial<DataOf<typeof TicketOpened>> = {}): Promise<string> {
  const data = sample(rest);
  await tierline.append(TicketOpened, data.ticketId, data);
  await eventually(async () => expect(await rows('SELECT 1 FROM escalation.ticket WHERE ticket_id = $1', [data.ticketId])).toHaveLength(1));
  return data.ticketId;
}
async function assign(ticketId: string, agentId: string): Promise<void> {
  const rest = { pool: 'main', queue: 'all', tier: 1, team: 'care', waitedMs: 0, assignedAt: new Date().toISOString() };
  await tierline.append(TicketAssigned, ticketId, { ticketId, offerId: newId(), agentId, ...rest });
  await eventually(async () => expect(await rows('SELECT 1 FROM escalation.assignment WHERE ticket_id = $1', [ticketId])).toHaveLength(1));
}
const reply = (ticketId: string, occurredAt = new Date()): Promise<string> =>
  tierline.append(TicketReplied, ticketId, {
    ticketId,
    messageId: newId(),
    by: { kind: 'agent', id: 'ann' },
    public: true,
    channel: 'email',
    preview: '',
    automatic: false,
    occurredAt: occurredAt.toISOString(),
  });
const write = (ticketId: string): Promise<string> =>
  tierline.append(TicketReplied, ticketId, {
    ticketId,
    messageId: newId(),
    by: { kind: 'customer' },
    public: true,
    channel: 'email',
    preview: '',
    automatic: false,
    occurredAt: new Date().toISOString(),
  });
const change = (ticketId: string, changes: Pick<DataOf<typeof TicketChanged>, 'status' | 'priority' | 'labels'>): Promise<string> =>
  tierline.append(TicketChanged, ticketId, { ticketId, ...changes, by: { kind: 'agent', id: 'ann' }, occurredAt: new Date().toISOString() });
const become = (ticketId: string, to: TicketStatus): Promise<string> => change(ticketId, { status: { from: 'open', to } });

/** What is told of a ticket, in order per topic. */
const told = async (ticketId: string, topic: 'clock' | 'escalation' = 'clock'): Promise<Event<string, Record<string, unknown>>[]> =>
  (await tierline.events(topic)).filter(({ key, type }) => key === ticketId && type !== 'clock.due') as Event<string, Record<string, unknown>>[];
const types = async (ticketId: string, topic?: 'clock' | 'escalation'): Promise<string[]> => (await told(ticketId, topic)).map(({ type }) => type);
const timersOf = (ticketId: string): Promise<Record<string, unknown>[]> => rows(`SELECT * FROM escalation_log.timer WHERE key = $1`, [ticketId]);
const raise = (ticketId: string, body: object, token?: string | null, key?: string): Promise<Answer> =>
  tierline.request('POST', `/escalation/v1/tickets/${ticketId}/escalations`, body, token, key === undefined ? {} : { 'idempotency-key': key });

describe('clocks', () => {
  it('start with the ticket, and wait with one timer', async () => {
    const ticketId = await open();
    const [started] = await told(ticketId);
    expect(started).toMatchObject({ type: 'clock.started', data: { policy: 'standard', clocks: [{ metric: 'first_response' }, { metric: 'resolution' }] } });
    expect(await timersOf(ticketId)).toMatchObject([{ type: 'clock.due' }]);
    const answer = await tierline.request('GET', `/escalation/v1/tickets/${ticketId}/clocks`);
    expect(answer.body.clocks).toMatchObject([
      { metric: 'first_response', state: 'running', policy: 'standard', policyVersion: 1, targetMs: 3_600_000, stoppedAt: null, pauses: [] },
      { metric: 'resolution', state: 'running', targetMs: 28_800_000 },
    ]);
    expect((await tierline.request('GET', `/escalation/v1/tickets/${newId()}/clocks`)).status).toBe(404);
  });

  it('warn when their share of the target is gone', async () => {
    const ticketId = await open({ labels: ['patient'] });
    await eventually(async () => expect(await types(ticketId)).toEqual(['clock.started', 'clock.warned']));
    const [started, warned] = await told(ticketId);
    const clock = (started!.data['clocks'] as { clockId: string; startedAt: string; dueAt: string }[])[0]!;
    expect(warned!.data).toMatchObject({ clockId: clock.clockId, metric: 'first_response', percent: 0.001, dueAt: clock.dueAt });
    expect(warned!.data['warnedAt']).toBe(new Date(Date.parse(clock.startedAt) + 36).toISOString());
  });

  it('breach at the due instant, and escalate to the next tier', async () => {
    const ticketId = await open({ priority: 'urgent' });
    await eventually(async () => expect(await types(ticketId, 'escalation')).toEqual(['escalation.raised']));
    const [started, breached] = (await told(ticketId)).filter(({ type }) => type !== 'clock.warned');
    const clock = (started!.data['clocks'] as { clockId: string; dueAt: string }[])[0]!;
    expect(breached!.data).toMatchObject({ clockId: clock.clockId, targetMs: 200, breachedAt: clock.dueAt });
    const [raised] = await told(ticketId, 'escalation');
    expect(raised!.causationId).toBe(breached!.causationId);
    expect(raised!.data).toMatchObject({
      kind: 'automatic',
      fromTier: 1,
      toTier: 2,
      tierPath: [1, 2],
      team: 'experts',
      ownerId: 'eva',
      reason: { code: 'sla_breach' },
      breach: { clockId: clock.clockId, metric: 'first_response' },
      by: { kind: 'system' },
    });
    expect(await timersOf(ticketId)).toHaveLength(1);
  });

  it('take a breach back when an answer in time is heard of late', async () => {
    const openedAt = new Date();
    const ticketId = await open({ priority: 'urgent', occurredAt: openedAt.toISOString() });
    await eventually(async () => expect(await types(ticketId)).toContain('clock.breached'));
    await reply(ticketId, new Date(openedAt.getTime() + 200));
    await eventually(async () => expect((await types(ticketId)).slice(-2)).toEqual(['clock.breach_revoked', 'clock.stopped']));
    expect((await told(ticketId)).at(-1)!.data).toMatchObject({ result: 'met', elapsedMs: 200 });
  });

  it('stand still while the customer is waited for, and end with the ticket', async () => {
    const ticketId = await open();
    await reply(ticketId);
    await become(ticketId, 'pending');
    await eventually(async () => expect(await types(ticketId)).toEqual(['clock.started', 'clock.stopped', 'clock.paused']));
    expect(await timersOf(ticketId)).toEqual([]);
    await become(ticketId, 'open');
    await eventually(async () => expect(await timersOf(ticketId)).toHaveLength(1));
    await become(ticketId, 'solved');
    await eventually(async () => expect((await types(ticketId)).slice(-2)).toEqual(['clock.resumed', 'clock.stopped']));
    const { body } = await tierline.request('GET', `/escalation/v1/tickets/${ticketId}/clocks`);
    expect(body.clocks).toMatchObject([{ state: 'met' }, { state: 'met', pauses: [{ from: expect.any(String), to: expect.any(String) }] }]);
    expect(await timersOf(ticketId)).toEqual([]);
  });

  it('go by the policy of a new priority, from the same start', async () => {
    const ticketId = await open();
    await reply(ticketId);
    await change(ticketId, { priority: { from: 'normal', to: 'low' } });
    await eventually(async () => expect((await types(ticketId)).slice(-1)).toEqual(['clock.breached']));
    const events = (await told(ticketId)).filter(({ type }) => type !== 'clock.warned');
    expect(events.map(({ type }) => type)).toEqual(['clock.started', 'clock.stopped', 'clock.retargeted', 'clock.breached']);
    expect(events[2]!.data).toMatchObject({ policy: 'low', policyVersion: 1, targetMs: 30 });
  });

  it('are cancelled with a merge', async () => {
    const [source, target] = [await open(), await open()];
    for (const key of [source, target]) {
      await tierline.append(TicketMerged, key, {
        ticketId: source,
        intoTicketId: target,
        by: { kind: 'agent', id: 'ann' },
        occurredAt: new Date().toISOString(),
      });
    }
    await eventually(async () => expect(await types(source)).toEqual(['clock.started', 'clock.cancelled', 'clock.cancelled']));
    await reply(target);
    await eventually(async () => expect(await types(target)).toEqual(['clock.started', 'clock.stopped']));
  });

  it('heed only the timer that was armed last, and announce nothing early', async () => {
    const ticketId = await open();
    const armed = async (): Promise<DataOf<typeof ClockDue>> => JSON.parse(String((await timersOf(ticketId))[0]!['data'])) as DataOf<typeof ClockDue>;
    const data = await armed();
    for (const epoch of [data.epoch - 1, data.epoch + 1, data.epoch, data.epoch]) await tierline.append(ClockDue, ticketId, { ...data, epoch });
    // The third is heeded: time has passed, nothing is due yet, and the timer is armed again.
    await eventually(async () => expect(await armed()).toEqual({ ...data, epoch: data.epoch + 1 }));
    expect(await types(ticketId)).toEqual(['clock.started']);
  });

  it('keep the version that they began with', async () => {
    const ticketId = await open();
    const changedPolicies = CONFIGURATION.policies.map((policy) => (policy.name === 'standard' ? { ...policy, resolution: '4h' } : policy));
    expect((await tierline.request('PUT', '/escalation/v1/configuration', { ...CONFIGURATION, policies: changedPolicies })).body).toEqual({ changed: 1 });
    const later = await open();
    const clocksOf = async (id: string): Promise<unknown> => (await tierline.request('GET', `/escalation/v1/tickets/${id}/clocks`)).body.clocks[1];
    expect(await clocksOf(ticketId)).toMatchObject({ policyVersion: 1, targetMs: 28_800_000 });
    expect(await clocksOf(later)).toMatchObject({ policyVersion: 2, targetMs: 14_400_000 });
    // Back to what it was: a version of its own, because nobody can tell how long the other one lasted.
    expect((await tierline.request('PUT', '/escalation/v1/configuration', CONFIGURATION)).body).toEqual({ changed: 1 });
    expect((await tierline.request('PUT', '/escalation/v1/configuration', CONFIGURATION)).body).toEqual({ changed: 0 });
  });

  it('of a new cycle begin with the next message of the customer, and explain themselves when they are over', async () => {
    const ticketId = await open({ labels: ['cycles'] });
    for (const happens of [reply, write, reply, write]) await happens(ticketId);
    const all = ['clock.started', 'clock.stopped', 'clock.started', 'clock.stopped', 'clock.started'];
    await eventually(async () => expect(await types(ticketId)).toEqual(all));
    const { body } = await tierline.request('GET', `/escalation/v1/tickets/${ticketId}/clocks`);
    expect(body.clocks).toMatchObject([
      { metric: 'first_response', state: 'met' },
      { metric: 'next_response', cycle: 2, state: 'running' },
    ]);
    expect(body.tallies).toMatchObject([{ metric: 'next_response', met: 1, missed: 0 }]);
    const first = (await told(ticketId)).filter(({ type }) => type === 'clock.stopped').at(-1)!.data['clockId'];
    const explained = await tierline.request('GET', `/escalation/v1/tickets/${ticketId}/clocks/${String(first)}/explain`);
    expect(explained.body).toMatchObject({
      metric: 'next_response',
      cycle: 1,
      state: 'met',
      policy: 'cycles',
      policyVersion: 1,
      calendar: 'nights/1',
      timeZone: 'Asia/Kathmandu',
    });
    const counted = (explained.body.spans as { kind: string; ms: number }[]).filter(({ kind }) => kind === 'counted');
    expect(counted.reduce((sum, { ms }) => sum + ms, 0)).toBe(explained.body.targetMs);
    expect((await tierline.request('GET', `/escalation/v1/tickets/${ticketId}/clocks/${newId()}/explain`)).status).toBe(404);
  });

  it('of a live channel are met when an agent takes the ticket, in whatever order that is heard of', async () => {
    const late = await open({ channel: 'chat' });
    await assign(late, 'ann');
    await eventually(async () => expect(await types(late)).toContain('clock.stopped'));
    const data = sample({ channel: 'chat' });
    await assign(data.ticketId, 'ann');
    await tierline.append(TicketOpened, data.ticketId, data);
    await eventually(async () => expect(await types(data.ticketId)).toContain('clock.stopped'));
  });

  it('are carried along in a bounded row, and a very late answer is folded in where it belongs', async () => {
    const openedAt = new Date(Date.now() - 600_000);
    const ticketId = await open({ priority: 'urgent', occurredAt: openedAt.toISOString() });
    const times = Array.from({ length: 150 }, (_, index) => new Date(openedAt.getTime() + 1_000 + index * 1_000));
    await tierline.log.transaction('test', async (tx) => {
      times.forEach((at, index) => {
        const status = { from: index % 2 ? ('pending' as const) : ('open' as const), to: index % 2 ? ('open' as const) : ('pending' as const) };
        tx.append(TicketChanged, ticketId, { ticketId, status, by: { kind: 'agent', id: 'ann' }, occurredAt: at.toISOString() });
      });
      await Promise.resolve();
    });
    await eventually(async () => expect(await rows('SELECT 1 FROM escalation.past_facts WHERE ticket_id = $1', [ticketId])).not.toHaveLength(0));
    expect(await types(ticketId)).toContain('clock.breached');
    await reply(ticketId, new Date(openedAt.getTime() + 150));
    await eventually(async () => expect(await types(ticketId)).toContain('clock.breach_revoked'));
    const { body } = await tierline.request('GET', `/escalation/v1/tickets/${ticketId}/clocks`);
    expect(body.clocks).toMatchObject([
      { metric: 'first_response', state: 'met', elapsedMs: 150 },
      { metric: 'resolution', pauses: null },
    ]);
  });

  it('are brought under the newest policies when an admin asks for it, who is told first how many', async () => {
    const ticketId = await open({ labels: ['adopt'] });
    const policies = CONFIGURATION.policies.map((policy) => (policy.name === 'adopt' ? { ...policy, resolution: '5h' } : policy));
    await tierline.request('PUT', '/escalation/v1/configuration', { ...CONFIGURATION, policies });
    const adopt = (body: object): Promise<Answer> => tierline.request('POST', '/escalation/v1/configuration/adopt', body);
    const dry = await adopt({});
    expect(dry).toMatchObject({ status: 200, body: { dryRun: true } });
    expect(dry.body.tickets).toBeGreaterThan(0);
    expect(await types(ticketId)).toEqual(['clock.started']);
    expect((await adopt({ dryRun: false })).body).toEqual({ ...dry.body, dryRun: false });
    expect((await told(ticketId)).at(-1)).toMatchObject({ type: 'clock.retargeted', data: { policy: 'adopt', policyVersion: 2, targetMs: 18_000_000 } });
    expect((await adopt({ dryRun: false })).body).toMatchObject({ tickets: 0, clocks: 0 });
    await tierline.request('PUT', '/escalation/v1/configuration', CONFIGURATION);
  });

  it('breach once and escalate once each, for a whole batch of tickets', async () => {
    const tickets = Array.from({ length: 300 }, () => sample({ priority: 'urgent' }));
    await tierline.log.transaction('test', async (tx) => {
      for (const data of tickets) tx.append(TicketOpened, data.ticketId, data);
      await Promise.resolve();
    });
    const ids = new Set(tickets.map(({ ticketId }) => ticketId));
    const countOf = async (type: string): Promise<number> => (await tierline.events()).filter((event) => event.type === type && ids.has(event.key)).length;
    await eventually(async () => expect(await countOf('escalation.raised')).toBe(300));
    expect(await countOf('clock.started')).toBe(300);
    expect(await countOf('clock.breached')).toBe(300);
  });

  it('miss nothing that comes due while the service is down', async () => {
    const data = sample({ priority: 'urgent' });
    await tierline.append(TicketOpened, data.ticketId, data);
    await tierline.stop();
    await eventually(() => Date.now() > Date.parse(data.occurredAt) + 200);
    tierline = await runServices([escalationService], { database });
    await eventually(async () => expect(await types(data.ticketId, 'escalation')).toEqual(['escalation.raised']));
    const breached = (await told(data.ticketId)).filter(({ type }) => type === 'clock.breached');
    expect(breached).toHaveLength(1);
    expect(breached[0]!.data['breachedAt']).toBe(new Date(Date.parse(data.occurredAt) + 200).toISOString());
  });
});

describe('escalations', () => {
  it('go up a tier by hand, and no further than the last', async () => {
    const ticketId = await open();
    const answer = await raise(ticketId, { kind: 'functional', reason: 'needs somebody who knows invoices' });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      kind: 'functional',
      fromTier: 1,
      toTier: 2,
      team: 'experts',
      ownerId: 'eva',
      state: 'open',
      reasonCode: 'manager_request',
    });
    expect(await told(ticketId, 'escalation')).toMatchObject([
      { type: 'escalation.raised', data: { escalationId: answer.body.escalationId, by: { kind: 'agent' } } },
    ]);
    expect(await raise(ticketId, { kind: 'functional', reason: 'more' })).toMatchObject({ status: 409, body: { title: 'escalation.last_tier' } });
    expect(await raise(ticketId, { kind: 'functional', toTier: 2, reason: 'more' })).toMatchObject({ status: 409, body: { title: 'escalation.not_higher' } });
    expect(await raise(ticketId, { kind: 'functional', team: 'nobody', reason: 'more' })).toMatchObject({
      status: 422,
      body: { title: 'escalation.unknown_team' },
    });
    expect(await raise(ticketId, { kind: 'hierarchical', toTier: 2, reason: 'more' })).toMatchObject({ status: 422 });
    expect(await raise(newId(), { kind: 'functional', reason: 'more' })).toMatchObject({ status: 404 });
  });

  it('go up the managers of whoever has the ticket, one after the other', async () => {
    const ticketId = await open();
    await assign(ticketId, 'ann');
    const token = await tierline.tokenFor('ann', 'agent');
    for (const ownerId of ['lea', 'dan']) {
      const answer = await raise(ticketId, { kind: 'hierarchical', reason: 'the customer is a minister' }, token);
      expect(answer.body).toMatchObject({
        kind: 'hierarchical',
        fromTier: 1,
        toTier: 1,
        tierPath: [1],
        ownerId,
        reasonCode: 'agent_request',
        raisedBy: { kind: 'agent', id: 'ann' },
      });
    }
    expect(await raise(ticketId, { kind: 'hierarchical', reason: 'again' }, token)).toMatchObject({ status: 409, body: { title: 'escalation.no_manager' } });
  });

  it('are the same for the same key', async () => {
    const ticketId = await open();
    const token = await tierline.tokenFor('portal', 'service');
    const [first, second] = await Promise.all([1, 2].map(() => raise(ticketId, { kind: 'functional', reason: 'please' }, token, 'key-1')));
    expect(second!.body).toEqual(first!.body);
    expect(first!.body).toMatchObject({ reasonCode: 'customer_request', raisedBy: { kind: 'client', id: 'portal' } });
    expect(await types(ticketId, 'escalation')).toEqual(['escalation.raised']);
    expect(await raise(ticketId, { kind: 'functional', reason: 'please' }, token, '')).toMatchObject({ status: 422 });
  });

  it('are closed by hand, once', async () => {
    const ticketId = await open();
    const { body } = await raise(ticketId, { kind: 'functional', reason: 'please' });
    const close = (): Promise<Answer> => tierline.request('POST', `/escalation/v1/escalations/${body.escalationId}/close`, { outcome: 'cancelled' });
    const closed = await close();
    expect(closed).toMatchObject({ status: 200, body: { state: 'closed', outcome: 'cancelled' } });
    expect((await close()).body).toEqual(closed.body);
    expect(await types(ticketId, 'escalation')).toEqual(['escalation.raised', 'escalation.closed']);
    expect((await tierline.request('GET', `/escalation/v1/escalations/${body.escalationId}`)).body).toEqual(closed.body);
    expect((await tierline.request('POST', `/escalation/v1/escalations/${newId()}/close`, {})).status).toBe(404);
  });

  it('are resolved with the ticket, which then takes no more', async () => {
    const ticketId = await open();
    await raise(ticketId, { kind: 'functional', reason: 'please' });
    await become(ticketId, 'solved');
    await eventually(async () => expect(await types(ticketId, 'escalation')).toEqual(['escalation.raised', 'escalation.closed']));
    expect((await told(ticketId, 'escalation')).at(-1)!.data).toMatchObject({ outcome: 'resolved', by: { kind: 'agent', id: 'ann' } });
    expect(await raise(ticketId, { kind: 'functional', reason: 'more' })).toMatchObject({ status: 409, body: { title: 'escalation.ticket_done' } });
    const { body } = await tierline.request('GET', `/escalation/v1/escalations?ticketId=${ticketId}&state=closed`);
    expect(body.items).toMatchObject([{ ticketId, state: 'closed', outcome: 'resolved' }]);
  });

  it('of a breach that is found when the ticket is solved move nothing, and end at once', async () => {
    const ticketId = await open({ priority: 'low', occurredAt: new Date(Date.now() - 60_000).toISOString() });
    await become(ticketId, 'solved');
    await eventually(async () => expect(await types(ticketId, 'escalation')).toEqual(['escalation.raised', 'escalation.closed']));
  });

  it('are listed from the newest on, page by page', async () => {
    const { body } = await tierline.request('GET', '/escalation/v1/escalations?limit=2');
    expect(body.items).toHaveLength(2);
    const next = await tierline.request('GET', `/escalation/v1/escalations?limit=2&cursor=${body.next}`);
    expect(next.body.items[0].escalationId < body.items[1].escalationId).toBe(true);
  });

  it('are for people who work here', async () => {
    const ticketId = await open();
    expect((await raise(ticketId, { kind: 'functional', reason: 'x' }, null)).status).toBe(401);
    const client = await tierline.tokenFor('shop', 'client');
    expect((await raise(ticketId, { kind: 'functional', reason: 'x' }, client)).status).toBe(403);
    const agent = await tierline.tokenFor('ann', 'agent');
    expect((await tierline.request('PUT', '/escalation/v1/configuration', {}, agent)).status).toBe(403);
  });
});

it('names every fault of a bad configuration, and changes nothing', async () => {
  const answer = await tierline.request('PUT', '/escalation/v1/configuration', { policies: [{ name: 'x' }], tiers: [{ tier: 0, team: 'x' }] });
  expect(answer.status).toBe(422);
  expect(answer.body.faults).toHaveLength(2);
});
