import { expect, it } from '@jest/globals';
import { agentProfiles } from './agent-profile.ts';
import { peopleConfiguration } from './configuration.ts';

const section = {
  skills: ['billing', 'german'],
  teams: [
    { name: 'care', lead: 'ines' },
    { name: 'experts', pool: 'deep', lead: 'omar' },
  ],
  agents: [
    { id: 'ada', name: 'Ada Berg', team: 'care', skills: { german: 9, billing: 6 }, capacity: 3 },
    { id: 'ines', name: 'Ines Duarte', team: 'care', tier: 2, manager: 'omar' },
    { id: 'omar', name: 'Omar Haddad', team: 'experts', tier: 3 },
  ],
};

const faultsOf = (given: unknown): string[] =>
  peopleConfiguration.safeParse(given).error?.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`) ?? [];

it('makes profiles: pool of the team, tier as a skill, the lead as the manager of who has none', () => {
  expect(agentProfiles(peopleConfiguration.parse(section))).toEqual([
    {
      agentId: 'ada',
      name: 'Ada Berg',
      team: 'care',
      pool: 'main',
      managerId: 'ines',
      skills: [
        { skill: 'billing', level: 6 },
        { skill: 'german', level: 9 },
        { skill: 'tier', level: 1 },
      ],
      capacity: 3,
      active: true,
    },
    expect.objectContaining({ agentId: 'ines', managerId: 'omar', skills: [{ skill: 'tier', level: 2 }] }),
    expect.not.objectContaining({ managerId: expect.anything() }),
  ]);
});

it('names every fault at once, also beside values of a wrong shape', () => {
  expect(
    faultsOf({
      skills: ['billing', 'billing', 'tier'],
      teams: [{ name: 'care', lead: 'nobody', colour: 'red' }],
      agents: [
        { id: 'ada', name: 'Ada', team: 'sales', skills: { billing: 11, cooking: 2 }, manager: 'eve' },
        { id: 'ada', name: 7, team: 'care', token: 'short' },
        'ben',
      ],
    }).sort(),
  ).toEqual([
    'agents.0.manager: there is no agent "eve"',
    'agents.0.skills.billing: Too big: expected number to be <=10',
    'agents.0.skills.cooking: there is no skill "cooking"',
    'agents.0.team: there is no team "sales"',
    'agents.1.id: "ada" stands here twice',
    'agents.1.name: Invalid input: expected string, received number',
    'agents.1.token: a token has at least 24 characters',
    'agents.2: Invalid input: expected object, received string',
    'skills.1: "billing" stands here twice',
    `skills.2: "tier" is every agent's own; give it as the agent's tier`,
    'teams.0.lead: there is no agent "nobody"',
    'teams.0: Unrecognized key: "colour"',
  ]);
});

it.each<[string, Record<string, string | undefined>, string[]]>([
  ['two who manage each other', { ada: 'ines', ines: 'ada' }, ['agents.0.manager: managers form a circle: ada → ines → ada']],
  ['somebody who manages themself', { omar: 'omar' }, ['agents.2.manager: managers form a circle: omar → omar']],
  ['a circle through the lead of a team', { omar: 'ada' }, ['agents.0.manager: managers form a circle: ada → ines → omar → ada']],
])('refuses %s', (_, managers, faults) => {
  const agents = section.agents.map((agent) => ({ ...agent, ...(agent.id in managers && { manager: managers[agent.id] }) }));
  expect(faultsOf({ ...section, agents })).toEqual(faults);
});
