import { expect, it } from '@jest/globals';
import { whatToSay, type Occasion } from './what-to-say.ts';

const AT = '2026-03-02T09:00:00.000Z';
const said = (type: Occasion['type'], data: object): string => whatToSay({ type, data } as Occasion);

it.each<[Occasion['type'], object, string]>([
  ['clock.warned', { metric: 'resolution', percent: 80, dueAt: AT }, `80 % of the time for resolution is gone, it is due at ${AT}`],
  ['clock.breached', { metric: 'first_response', breachedAt: AT }, `the target for first response was missed at ${AT}`],
  ['escalation.raised', { kind: 'automatic', toTier: 2, reason: { text: 'late' } }, 'it was escalated to tier 2: late'],
  ['escalation.raised', { kind: 'hierarchical', toTier: 2, reason: { text: 'angry' } }, 'it was escalated to the manager: angry'],
])('says of %s %j: %s', (type, data, text) => {
  expect(said(type, data)).toBe(text);
});
