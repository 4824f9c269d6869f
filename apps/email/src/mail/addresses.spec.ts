import { expect, it } from '@jest/globals';
import { normalizeAddress, readAddresses } from './addresses.ts';

it.each([
  ['ann@example.org', [{ address: 'ann@example.org' }]],
  ['"Nowak, Ann" <Ann@Example.org>', [{ address: 'Ann@Example.org', name: 'Nowak, Ann' }]],
  ['=?utf-8?Q?Nowak=2C_Ann?= <ann@example.org>, bob@example.org', [{ address: 'ann@example.org', name: 'Nowak, Ann' }, { address: 'bob@example.org' }]],
  ['Team: a@example.org, b@example.org;, undisclosed-recipients:;', [{ address: 'a@example.org' }, { address: 'b@example.org' }]],
  ['=?utf-8?B?QW5uIDxhbm5AZXhhbXBsZS5vcmc+?=', [{ address: 'ann@example.org', name: 'Ann' }]],
  ['Ann', []],
  ['<>', []],
  ['', []],
  [`${'x'.repeat(65)}@example.org`, []],
])('%s', (field, addresses) => {
  expect(readAddresses(field)).toEqual(addresses);
});

it('takes a hundred recipients at most', () => {
  expect(readAddresses(Array.from({ length: 5_000 }, (_, n) => `u${n}@example.org`).join(', '))).toHaveLength(100);
});

it('compares addresses without regard to case', () => {
  expect(normalizeAddress(' Ann@Example.ORG ')).toBe('ann@example.org');
});
