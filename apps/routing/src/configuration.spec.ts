import { expect, it } from '@jest/globals';
import { INITIAL_CONFIGURATION, routingConfiguration, rulesOfPools } from './configuration.ts';
import { DEFAULT_RULES } from './match-rules.ts';
import { workPlanner } from './queued-work.ts';

const ticket: Parameters<ReturnType<typeof workPlanner>>[0] = {
  ...{ ticketId: 'T1', channel: 'voice', accountRef: 'support', labels: [], priority: 'normal', subject: 'Broken', preview: '', tier: 2 },
  openedAt: '2025-06-02T08:00:00.000Z',
};

it('begins with one queue for everybody', () => {
  expect(workPlanner(INITIAL_CONFIGURATION)(ticket)).toEqual({
    ...{ ticketId: 'T1', channel: 'voice', priority: 'normal', tier: 2, pool: 'main', queue: 'general', required: [{ skill: 'tier', minLevel: 2 }] },
    ...{ weight: 1, offerTimeoutMs: 30_000, reason: 'opened', enqueuedAt: ticket.openedAt },
  });
  expect(routingConfiguration.parse({ defaultQueue: 'general', queues: [{ name: 'general', offerTimeout: '30s' }] })).toEqual(INITIAL_CONFIGURATION);
});

it('says what a queue asks for ring by ring, what it prefers, weighs, and falls back to', () => {
  const plan = workPlanner(
    routingConfiguration.parse({
      defaultQueue: 'general',
      queues: [
        {
          ...{ name: 'technical', match: { words: ['broken'] }, skills: { technical: 4, english: 2 }, preferred: ['german'], offerTimeout: '20s' },
          rings: [
            { skills: { technical: 8 }, preferred: ['french'], for: '30s' },
            { skills: { technical: 2, billing: 1 }, for: '1m' },
          ],
        },
        { name: 'general', skills: { english: 1 }, offerTimeout: '20s' },
      ],
      channels: { voice: { weight: 3, interrupts: true } },
      boosts: [
        { match: { channels: ['voice'] }, by: '10m' },
        { match: { priorities: ['normal'], words: ['broken'] }, by: '5m' },
        { match: { labels: ['vip'] }, by: '1h' },
      ],
    }),
  );
  const asks = (skills: Record<string, number>) => Object.entries(skills).map(([skill, minLevel]) => ({ skill, minLevel }));
  expect(plan(ticket)).toMatchObject({
    ...{ queue: 'technical', weight: 3, interrupts: true, boostMs: 900_000, preferred: ['german'], required: asks({ english: 2, technical: 4, tier: 2 }) },
    rings: [
      { required: asks({ english: 2, technical: 8, tier: 2 }), preferred: ['french'], durationMs: 30_000 },
      { required: asks({ billing: 1, english: 2, technical: 4, tier: 2 }), durationMs: 60_000 },
    ],
    fallback: asks({ english: 1, tier: 2 }),
  });
  expect(plan({ ...ticket, subject: 'Hello', channel: 'chat' })).not.toHaveProperty('fallback');
});

it('gives the pools their rules, and the default to the others', () => {
  const queues = [{ name: 'general', offerTimeout: '30s' }, { name: 'deep', pool: 'deep', match: { labels: ['deep'] }, offerTimeout: '30s' }]; // prettier-ignore
  const pools = [{ name: 'deep', agentOrder: ['longest_idle'], contactOrder: 'strict', maxAge: '4h' }];
  expect(rulesOfPools(routingConfiguration.parse({ defaultQueue: 'general', queues, pools }))).toEqual(
    new Map([
      ['main', DEFAULT_RULES],
      ['deep', { agentOrder: ['longest_idle'], contactOrder: 'strict', maxAgeMs: 14_400_000 }],
    ]),
  );
});

it('is refused with every fault that it has', () => {
  const { error } = routingConfiguration.safeParse({
    defaultQueue: 'general',
    queues: [
      { name: 'general', rings: [{ skills: { tier: 2 }, for: '0s' }], offerTimeout: '30s' },
      { name: 'general', skills: { billing: 11 }, preferred: ['German!'], offerTimeout: '30s' },
    ],
    channels: { chat: { weight: 0 } },
    boosts: [{ match: {}, by: '5m' }],
    pools: [
      { name: 'main', contactOrder: 'strict' },
      { name: 'main', maxAge: '1h', agentOrder: ['load', 'load'] },
      { name: 'none', agentOrder: ['luck'] },
    ],
  });
  expect(error!.issues.map(({ path }) => path.join('.')).sort()).toEqual(
    [
      ...['queues.0.rings.0.for', 'queues.0.rings.0.skills.tier', 'queues.1.name', 'queues.1.preferred.0', 'queues.1.skills.billing'],
      ...['channels.chat.weight', 'boosts.0.match', 'pools.0.maxAge', 'pools.1.agentOrder.1', 'pools.1.maxAge', 'pools.1.name'],
      ...['pools.2.agentOrder.0', 'pools.2.name'],
    ].sort(),
  );
});
