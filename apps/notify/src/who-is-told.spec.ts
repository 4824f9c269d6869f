import { expect, it } from '@jest/globals';
import { whoIsTold, type Person } from './who-is-told.ts';

const person = (agentId: string, managerId: string | null = null, active = true): Person => ({ agentId, email: null, managerId, active });
const people = new Map([person('ada', 'ines'), person('ben', 'ines', false), person('ines', 'omar'), person('omar')].map((one) => [one.agentId, one]));

const told = (owners: string[], standIns: string[] = []): string[] =>
  whoIsTold(owners, standIns, people).map(({ person: { agentId }, as }) => `${agentId} as ${as}`);

it.each<[string, string[], string[]]>([
  ['the owner and their manager', ['ada'], ['ada as owner', 'ines as manager']],
  ['only the manager of an owner who has left', ['ben'], ['ines as manager']],
  ['the assignee and the owner of the escalation, each once', ['ada', 'ines'], ['ada as owner', 'ines as owner', 'omar as manager']],
  ['nobody above the top', ['omar'], ['omar as owner']],
  ['nobody who is not known', ['zoe'], []],
  ['nobody, when nobody owns it', [], []],
])('tells %s', (_, owners, expected) => {
  expect(told(owners)).toEqual(expected);
});

it('tells the stand-ins of a ticket that nobody owns, and only of such a one', () => {
  expect(told([], ['omar', 'ben', 'ines'])).toEqual(['omar as owner', 'ines as owner']);
  expect(told(['omar'], ['ines'])).toEqual(['omar as owner']);
});
