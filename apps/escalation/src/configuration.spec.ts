import { expect, it } from '@jest/globals';
import { escalationConfiguration } from './configuration.ts';

it('fills in what is not said', () => {
  expect(escalationConfiguration.parse({ policies: [{ name: 'all', firstResponse: '30s' }] })).toEqual({
    policies: [{ name: 'all', match: {}, firstResponse: 30_000, warnAt: 80, pauseOn: { first_response: [], resolution: ['pending', 'on_hold'] } }],
    tiers: [],
  });
});

it('names every fault at once', () => {
  const bad = escalationConfiguration.safeParse({
    policies: [
      { name: 'a', resolution: '0s' },
      { name: 'a', match: { priorities: ['very'] }, resolution: '1h', warnAt: 100 },
      { name: 'B', pauseOn: { resolution: ['solved'] }, resolution: '1h' },
    ],
    tiers: [{ tier: 11, team: '' }],
    managers: {},
  });
  expect(bad.error!.issues.map(({ path }) => path.join('.')).sort()).toEqual(
    [
      'policies.0.resolution',
      'policies.1.match.priorities.0',
      'policies.1.warnAt',
      'policies.2.name',
      'policies.2.pauseOn.resolution.0',
      'tiers.0.tier',
      'tiers.0.team',
      '',
    ].sort(),
  );
});

it.each([
  [
    {
      policies: [
        { name: 'a', resolution: '1h' },
        { name: 'a', resolution: '2h' },
      ],
    },
    'policies.1.name',
  ],
  [
    {
      tiers: [
        { tier: 1, team: 'x' },
        { tier: 1, team: 'y' },
      ],
    },
    'tiers.1.tier',
  ],
  [{ policies: [{ name: 'a' }] }, 'policies.0'],
])('refuses %j', (section, path) => {
  expect(escalationConfiguration.safeParse(section).error!.issues.map((issue) => issue.path.join('.'))).toEqual([path]);
});
