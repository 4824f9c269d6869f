import { expect, it } from '@jest/globals';
import { whoIsTold, type Person } from './who-is-told.ts';

const person = (agentId: string, managerId: string | null = null, active = true): Person => ({ agentId, email: null, managerId, active });
const people = new Map([person('ada', 'ines'), person('ben', 'ines', false), person('ines', 'omar'), person('omar')].map((one) => [one.agentId, one]));

const told = (...owners: (string | null | undefined)[]): string[] => whoIsTold(owners, people).map(({ person: { agentId }, as }) => `${agentId} as ${as}`);

it.each<[string, (string | null | undefined)[], string[]]>([
  ['the owner and their manager', ['ada'], ['ada as owner', 'ines as manager']],
  ['only the manager of an owner who has left', ['ben'], ['ines as manager']],
  ['the assignee and the owner of the escalation, each once', ['ada', 'ines'], ['ada as owner', 'ines as owner', 'omar as manager']],
  ['nobody above the top', ['omar'], ['omar as owner']],
  ['nobody, when nobody owns it or they are not known', [null, undefined, 'zoe'], []],
])('tells %s', (_, owners, expected) => {
  expect(told(...owners)).toEqual(expected);
});
