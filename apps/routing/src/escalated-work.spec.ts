import { expect, it } from '@jest/globals';
import { newId, type AgentProfile, type EscalationRaised, type TicketQueued } from '@tierline/events';
import { escalatedWork } from './escalated-work.ts';
import { requiredAt, requiredSkills } from './required-skills.ts';

const agent = (agentId: string, team: string, tier: number, skills: Record<string, number> = {}, pool = 'main'): AgentProfile => ({
  agentId,
  name: agentId,
  team,
  pool,
  skills: Object.entries({ ...skills, tier }).map(([skill, level]) => ({ skill, level })),
  capacity: 1,
  active: true,
});

const queued: TicketQueued['data'] = {
  ticketId: newId(),
  pool: 'main',
  queue: 'billing',
  channel: 'email',
  priority: 'normal',
  tier: 1,
  required: requiredSkills({ skills: { billing: 3 } }, 1),
  weight: 1,
  offerTimeoutMs: 20_000,
  reason: 'opened',
  enqueuedAt: '2025-06-02T08:00:00.000Z',
};

const raised = (given: Partial<EscalationRaised['data']>): EscalationRaised['data'] => ({
  escalationId: newId(),
  ticketId: queued.ticketId,
  kind: 'automatic',
  fromTier: 1,
  toTier: 2,
  tierPath: [1, 2],
  reason: { code: 'sla_breach', text: 'first response missed' },
  priority: 'normal',
  by: { kind: 'system' },
  raisedAt: '2025-06-02T09:00:00.000Z',
  ...given,
});

const staff = [agent('ada', 'care', 1, { billing: 6 }), agent('hana', 'experts', 2, { billing: 9 }), agent('ines', 'care', 2, { billing: 5 })];

it('requires skills in one order, with the tier and a team', () => {
  expect(requiredSkills({ skills: { german: 5, billing: 3 } }, 2)).toEqual([
    { skill: 'billing', minLevel: 3 },
    { skill: 'german', minLevel: 5 },
    { skill: 'tier', minLevel: 2 },
  ]);
  expect(requiredAt(requiredAt(queued.required, 2, 'care'), 3, 'experts')).toEqual([
    { skill: 'billing', minLevel: 3 },
    { skill: 'team:experts', minLevel: 1 },
    { skill: 'tier', minLevel: 3 },
  ]);
});

it('asks for the higher tier, with the age it had', () => {
  expect(escalatedWork(queued, raised({}), staff)).toEqual({ ...queued, tier: 2, required: requiredAt(queued.required, 2), reason: 'escalated' });
});

it('takes the higher priority of the two', () => {
  expect(escalatedWork(queued, raised({ priority: 'high' }), staff)).toMatchObject({ priority: 'high' });
  expect(escalatedWork({ ...queued, priority: 'urgent' }, raised({ priority: 'high' }), staff)).toMatchObject({ priority: 'urgent' });
});

it.each<[string, AgentProfile[], Partial<EscalationRaised['data']>, TicketQueued['data']['required'], string]>([
  ['everything, where somebody can give it', staff, { team: 'experts' }, requiredAt(queued.required, 2, 'experts'), 'main'],
  ['the team without the skills', [agent('gus', 'experts', 2)], { team: 'experts' }, requiredAt([], 2, 'experts'), 'main'],
  ['the skills without the team', staff, { team: 'legal' }, requiredAt(queued.required, 2), 'main'],
  ['the tier alone', [agent('kim', 'experts', 3)], {}, requiredAt([], 2), 'main'],
  [
    'everything, where nobody can give anything',
    [{ ...agent('kim', 'experts', 3), active: false }],
    { team: 'experts' },
    requiredAt(queued.required, 2, 'experts'),
    'main',
  ],
  [
    'the pool where such people work',
    [agent('hana', 'experts', 2, { billing: 9 }, 'deep'), agent('ada', 'care', 1)],
    {},
    requiredAt(queued.required, 2),
    'deep',
  ],
])('asks for %s', (_, agents, given, required, pool) => {
  expect(escalatedWork(queued, raised(given), agents)).toMatchObject({ required, pool });
});

it.each<[string, TicketQueued['data'], Partial<EscalationRaised['data']>]>([
  ['a manager is told', queued, { kind: 'hierarchical', toTier: 1 }],
  ['it is at that tier already', { ...queued, tier: 3 }, { toTier: 3 }],
  ['it is with that team already', { ...queued, tier: 3, required: requiredAt(queued.required, 3, 'experts') }, { toTier: 3, team: 'experts' }],
])('leaves the ticket where it is when %s', (_, work, given) => {
  expect(escalatedWork(work, raised(given), staff)).toBeUndefined();
});
