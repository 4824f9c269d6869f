import { expect, it } from '@jest/globals';
import { escalationConfiguration } from './configuration.ts';

it('fills in what is not said', () => {
  expect(escalationConfiguration.parse({ policies: [{ name: 'all', firstResponse: '30s' }] })).toEqual({
    calendars: {},
    policies: [
      {
        name: 'all',
        match: {},
        teamCalendars: {},
        firstResponse: 30_000,
        warnAt: [80],
        pauseOn: {
          firstResponse: [],
          nextResponse: [],
          periodicUpdate: [],
          pausableUpdate: ['pending'],
          requesterWait: ['pending'],
          agentWork: ['pending', 'on_hold'],
          resolution: ['pending', 'on_hold'],
        },
        reopenWindow: 604_800_000,
        countFirstWait: false,
      },
    ],
    tiers: [],
  });
});

it('takes one percentage, or several in any order', () => {
  const warnAt = (wanted: unknown): unknown =>
    escalationConfiguration.parse({ policies: [{ name: 'a', resolution: '1h', warnAt: wanted }] }).policies[0]!.warnAt;
  expect(warnAt(50)).toEqual([50]);
  expect(warnAt([90, 50])).toEqual([50, 90]);
  expect(warnAt([])).toEqual([]);
});

it('names every fault at once', () => {
  const bad = escalationConfiguration.safeParse({
    policies: [
      { name: 'a', resolution: '0s' },
      { name: 'a', match: { priorities: ['very'] }, resolution: '1h', warnAt: 100 },
      { name: 'B', pauseOn: { resolution: ['solved'] }, resolution: '1h', calendar: 'nowhere' },
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
  [{ policies: [{ name: 'a', resolution: '1h', warnAt: [50, 50] }] }, 'policies.0.warnAt'],
  [{ policies: [{ name: 'a', resolution: '1h', calendar: 'berlin' }] }, 'policies.0.calendar'],
  [{ policies: [{ name: 'a', resolution: '1h', teamCalendars: { care: 'berlin' } }] }, 'policies.0.teamCalendars.care'],
  [{ calendars: { berlin: { timeZone: 'Europe/Berlin', hours: { mon: [] } } } }, 'calendars.berlin'],
  [{ calendars: { berlin: { timeZone: 'Europe/Bonn', hours: { mon: [['09:00', '17:00']] } } } }, 'calendars.berlin.timeZone'],
])('refuses %j', (section, path) => {
  expect(escalationConfiguration.safeParse(section).error!.issues.map((issue) => issue.path.join('.'))).toEqual([path]);
});
