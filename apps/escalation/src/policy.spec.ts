import { describe, expect, it } from '@jest/globals';
import { nextVersions, policyFor, type Matched, type Policy, type PolicyTerms } from './policy.ts';
import { samplePolicy } from './sample-policy.ts';

const policy = (name: string, match: Policy['match']): Policy => samplePolicy({ resolution: 60_000 }, { name, match });

describe('the policy of a ticket', () => {
  const policies = [
    policy('vip', { labels: ['vip', 'board'], priorities: ['urgent', 'high'] }),
    policy('acme chat', { channels: ['chat'], brands: ['acme'] }),
    policy('mail', { channels: ['email'] }),
    policy('low', { priorities: ['low'] }),
  ];
  const ticket: Matched = { priority: 'normal', channel: 'sms', brand: undefined, labels: [] };

  it.each<[string | undefined, Partial<Matched>]>([
    ['vip', { labels: ['new', 'board'], priority: 'high' }],
    ['mail', { labels: ['vip'], channel: 'email' }],
    ['acme chat', { channel: 'chat', brand: 'acme' }],
    [undefined, { channel: 'chat', brand: 'other' }],
    [undefined, { channel: 'chat' }],
    ['mail', { channel: 'email', priority: 'low' }],
    ['low', { priority: 'low' }],
    [undefined, {}],
  ])('is %s for %j', (name, rest) => {
    expect(policyFor({ ...ticket, ...rest }, policies)?.name).toBe(name);
  });

  it('is the last resort when it asks for nothing', () => {
    expect(policyFor(ticket, [...policies, policy('all', {})])?.name).toBe('all');
  });
});

describe('versions', () => {
  const { version: _, ...terms } = policy('vip', { labels: ['vip'] });

  it('begin with 1', () => {
    expect(nextVersions([terms], [])).toEqual([{ ...terms, version: 1 }]);
  });

  it('stay while the terms stay', () => {
    const known = { ...terms, version: 3 };
    expect(nextVersions([JSON.parse(JSON.stringify(terms)) as typeof terms], [known])[0]).toBe(known);
  });

  it('go up with every change', () => {
    expect(nextVersions<PolicyTerms>([{ ...terms, warnAtPercent: [50] }], [{ ...terms, version: 3 }])[0]).toMatchObject({ warnAtPercent: [50], version: 4 });
  });
});
