import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId, PresenceLapsed, TicketRequeued, type Event } from '@tierline/events';
import { eventually, runServices, type RunningServices } from '@tierline/testing';
import { peopleService } from './people.module.ts';

const section = {
  skills: ['billing', 'german'],
  teams: [{ name: 'care', lead: 'ines' }],
  agents: [
    { id: 'ada', name: 'Ada Berg', email: 'ada@acme.example', team: 'care', skills: { billing: 6 }, capacity: 3, token: 'ada-has-a-token-of-her-own' },
    { id: 'ben', name: 'Ben Okoro', team: 'care', skills: { german: 7 } },
    { id: 'ines', name: 'Ines Duarte', team: 'care', tier: 2, roles: ['agent', 'lead'], token: 'ines-has-a-token-of-her-own' },
  ],
};

let running: RunningServices;
beforeAll(async () => {
  running = await runServices([peopleService]);
});
afterAll(async () => running.stop());

const apply = (given: unknown) => running.request('PUT', '/people/v1/configuration', given);
const setPresence = (id: string, body: unknown, token?: string) => running.request('PUT', `/people/v1/agents/${id}/presence`, body, token);
const agentEvents = async (id: string): Promise<string[]> =>
  (await running.events('agent')).filter(({ key }) => key === id).map((event) => `${event.type} ${described(event)}`);

function described({ data }: Event): string {
  const { active, presence, cause } = data as { active?: boolean; presence?: string; cause?: string };
  return active === undefined ? `${presence} ${cause}` : active ? 'active' : 'inactive';
}

describe('configuration', () => {
  it('is applied once', async () => {
    // 2 skills, 1 team, 3 agents, 2 tokens
    expect((await apply(section)).body).toEqual({ changed: 8 });
    const before = await running.events();
    expect((await apply(section)).body).toEqual({ changed: 0 });
    expect(await running.events()).toEqual(before);
    expect(before.map(({ type }) => type).sort()).toEqual(['agent.changed', 'agent.changed', 'agent.changed', 'token.issued', 'token.issued']);
  });

  it('is refused whole, with every fault and its path', async () => {
    const { status, body } = await apply({ ...section, agents: [{ id: 'eve', name: 'Eve', team: 'sales', manager: 'nobody' }] });
    expect(status).toBe(422);
    expect(body.faults).toEqual([
      { path: 'teams.0.lead', message: 'there is no agent "ines"' },
      { path: 'agents.0.team', message: 'there is no team "sales"' },
      { path: 'agents.0.manager', message: 'there is no agent "nobody"' },
    ]);
    expect((await running.request('GET', '/people/v1/agents')).body.agents).toHaveLength(3);
  });

  it('can be read', async () => {
    expect((await running.request('GET', '/people/v1/agents/ada')).body).toEqual({
      agentId: 'ada',
      name: 'Ada Berg',
      email: 'ada@acme.example',
      team: 'care',
      pool: 'main',
      managerId: 'ines',
      skills: [
        { skill: 'billing', level: 6 },
        { skill: 'tier', level: 1 },
      ],
      capacity: 3,
      active: true,
      roles: ['agent'],
      presence: 'offline',
      leaseUntil: null,
    });
    expect((await running.request('GET', '/people/v1/teams')).body).toEqual({ teams: [{ name: 'care', pool: 'main', lead: 'ines' }] });
    expect((await running.request('GET', '/people/v1/skills')).body).toEqual({ skills: ['billing', 'german'] });
    expect((await running.request('GET', '/people/v1/agents/eve')).status).toBe(404);
  });

  it('appends only what changed, deactivates who is left out, and takes their tokens and presence', async () => {
    await eventually(async () => expect((await setPresence('ada', { presence: 'available' }, 'ada-has-a-token-of-her-own')).status).toBe(200));
    const withoutAda = { ...section, agents: [{ ...section.agents[1], capacity: 2 }, section.agents[2]] };
    // Ben's capacity, Ada, Ada's token
    expect((await apply(withoutAda)).body).toEqual({ changed: 3 });
    expect(await agentEvents('ada')).toEqual([
      'agent.changed active',
      'presence.changed available agent',
      'agent.changed inactive',
      'presence.changed offline deactivated',
    ]);
    expect(await agentEvents('ben')).toEqual(['agent.changed active', 'agent.changed active']);
    expect(await agentEvents('ines')).toEqual(['agent.changed active']);
    expect((await setPresence('ada', { presence: 'available' })).status).toBe(404);
    expect((await running.request('GET', '/people/v1/agents/ada')).body).toMatchObject({ active: false, presence: 'offline' });

    expect((await apply(section)).body).toEqual({ changed: 3 });
    expect(
      (await running.events('access')).map(({ type, data }) => [type, (data as { subject?: string }).subject]).filter(([, subject]) => subject !== 'ines'),
    ).toEqual([
      ['token.issued', 'ada'],
      ['token.revoked', undefined],
      ['token.issued', 'ada'],
    ]);
    expect(await agentEvents('ada')).toHaveLength(5);
  });
});

describe('presence', () => {
  it('changes by an event, and a heartbeat only moves the lease', async () => {
    const before = (await agentEvents('ben')).length;
    const first = await setPresence('ben', { presence: 'available', leaseSeconds: 600 });
    expect(first.body).toEqual({ agentId: 'ben', presence: 'available', leaseUntil: expect.any(String) });
    const second = await setPresence('ben', { presence: 'available', leaseSeconds: 1_200 });
    const third = await setPresence('ben', { leaseSeconds: 1_800 });
    expect(third.body.presence).toBe('available');
    expect(new Set([first, second, third].map(({ body }) => body.leaseUntil as string)).size).toBe(3);
    expect((await agentEvents('ben')).slice(before)).toEqual(['presence.changed available agent']);
  });

  it('ends when the lease runs out, and a heartbeat does not bring it back', async () => {
    const before = (await agentEvents('ben')).length;
    await setPresence('ben', { leaseSeconds: 1 });
    const ended = ['presence.lapsed undefined undefined', 'presence.changed offline lease_expired'];
    await eventually(async () => expect((await agentEvents('ben')).slice(before)).toEqual(ended));
    expect((await setPresence('ben', {})).body).toEqual({ agentId: 'ben', presence: 'offline', leaseUntil: null });
    expect((await agentEvents('ben')).slice(before)).toEqual(ended);
  });

  it('outlives a lapse that the newest heartbeat contradicts', async () => {
    await setPresence('ben', { presence: 'away', leaseSeconds: 600 });
    const before = (await agentEvents('ben')).length;
    await running.append(PresenceLapsed, 'ben', { agentId: 'ben' });
    // Handled after the lapse, because it is of the same key.
    await setPresence('ben', { presence: 'available', leaseSeconds: 600 });
    await running.append(PresenceLapsed, 'ben', { agentId: 'ben' });
    await setPresence('ben', { presence: 'offline' });
    await eventually(async () => {
      const positions = await running.log.dataSource.query<{ pos: number }[]>(
        `SELECT 1 FROM ${running.log.schema}.consumer_position p JOIN ${running.log.schema}.log_head h USING (topic, bucket) WHERE p.grp = 'people' AND p.topic = 'agent' AND p.pos < h.next - 1`,
      );
      expect(positions).toEqual([]);
    });
    expect((await agentEvents('ben')).slice(before).filter((event) => event.startsWith('presence.changed'))).toEqual([
      'presence.changed available agent',
      'presence.changed offline agent',
    ]);
  });

  it('becomes away at a missed offer, until the agent says otherwise', async () => {
    await setPresence('ben', { presence: 'available', leaseSeconds: 600 });
    const before = (await agentEvents('ben')).length;
    const ticketId = newId();
    const at = new Date().toISOString();
    const requeued = { ticketId, pool: 'main', queue: 'general', agentId: 'ben', enqueuedAt: at, requeuedAt: at };
    await running.append(TicketRequeued, ticketId, { ...requeued, reason: 'declined' });
    await running.append(TicketRequeued, ticketId, { ...requeued, reason: 'expired' });
    await eventually(async () => expect((await agentEvents('ben')).slice(before)).toEqual(['presence.changed away missed_offer']));
    expect((await setPresence('ben', {})).body.presence).toBe('away');
    expect((await setPresence('ben', { presence: 'available' })).body.presence).toBe('available');
  });

  it.each([
    ['the agent itself', 'ben', ['agent'], 200],
    ['a lead', 'ines', ['lead'], 200],
    ['another agent', 'ada', ['agent'], 403],
    ['a program', 'importer', ['client'], 403],
  ] as const)('may be set by %s (%s, %j): %d', async (_, subject, roles, status) => {
    const token = await running.tokenFor(subject, ...roles);
    expect((await setPresence('ben', { presence: 'away' }, token)).status).toBe(status);
  });

  it('is not taken from nobody, nor in another shape', async () => {
    expect((await running.request('PUT', '/people/v1/agents/ben/presence', { presence: 'away' }, null)).status).toBe(401);
    const { status, body } = await setPresence('ben', { presence: 'asleep', leaseSeconds: 0 });
    expect(status).toBe(422);
    expect(body.faults).toEqual([expect.objectContaining({ path: 'presence' }), expect.objectContaining({ path: 'leaseSeconds' })]);
  });
});

describe('tokens', () => {
  it('let their bearer in until they are revoked', async () => {
    const { status, body } = await running.request('POST', '/people/v1/tokens', { subject: 'importer', roles: ['service'] });
    expect(status).toBe(201);
    expect(body.token).toMatch(/^tl_[\w-]{43}$/);
    const read = () => running.request('GET', '/people/v1/agents', undefined, body.token as string);
    await eventually(async () => expect((await read()).status).toBe(200));

    expect((await running.request('DELETE', `/people/v1/tokens/${body.tokenId}`)).status).toBe(204);
    expect((await running.request('DELETE', `/people/v1/tokens/${body.tokenId}`)).status).toBe(204);
    await eventually(async () => expect((await read()).status).toBe(401));
  });

  it('are kept as a SHA-256 only', async () => {
    const { body } = await running.request('POST', '/people/v1/tokens', { subject: 'importer', roles: ['client'], expiresAt: '2999-01-01T00:00:00Z' });
    const kept = JSON.stringify([
      await running.log.dataSource.query('SELECT * FROM people.token'),
      await running.log.dataSource.query(`SELECT * FROM ${running.log.schema}.event_log`),
    ]);
    expect(kept).toContain(body.tokenId);
    expect(kept).not.toContain((body.token as string).slice(3));
  });

  it.each<[string, string, string | undefined, unknown, number]>([
    ['an unknown one cannot be revoked', 'DELETE', newId(), undefined, 404],
    ['a malformed id', 'DELETE', 'one', undefined, 400],
    ['one that has run out already', 'POST', undefined, { subject: 'importer', roles: ['client'], expiresAt: '2020-01-01T00:00:00Z' }, 422],
    ['one without a role', 'POST', undefined, { subject: 'importer', roles: [] }, 422],
  ])('%s', async (_, method, id, body, status) => {
    expect((await running.request(method, id === undefined ? '/people/v1/tokens' : `/people/v1/tokens/${id}`, body)).status).toBe(status);
  });

  it.each<[string, string, string]>([
    ['PUT', '/people/v1/configuration', 'admin'],
    ['POST', '/people/v1/tokens', 'admin'],
    ['DELETE', `/people/v1/tokens/${newId()}`, 'admin'],
    ['GET', '/people/v1/agents', 'agent, lead, service'],
    ['GET', '/people/v1/agents/ada', 'agent, lead, service'],
    ['GET', '/people/v1/teams', 'agent, lead, service'],
    ['GET', '/people/v1/skills', 'agent, lead, service'],
  ])('are asked for: %s %s', async (method, path, roles) => {
    const client = await running.tokenFor('importer', 'client');
    const body = method === 'GET' ? undefined : {};
    expect((await running.request(method, path, body, null)).status).toBe(401);
    const answer = await running.request(method, path, body, client);
    expect([answer.status, answer.body.detail]).toEqual([403, `this needs one of the roles ${roles}`]);
  });
});
