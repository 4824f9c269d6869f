import { expect, it } from '@jest/globals';
import { chatConfiguration } from './configuration.ts';

const site = { name: 'shop', origins: ['https://shop.example.org'] };

it('takes sites', () => {
  expect(chatConfiguration.parse({ sites: [site, { ...site, name: 'other', brand: 'Other' }] }).sites).toHaveLength(2);
});

it.each([
  ['a name twice', [site, site]],
  ['a path in an origin', [{ ...site, origins: ['https://shop.example.org/'] }]],
  ['any origin', [{ ...site, origins: ['*'] }]],
  ['no origin', [{ ...site, origins: [] }]],
  ['a name with a space', [{ ...site, name: 'my shop' }]],
])('refuses %s', (_, sites) => {
  expect(chatConfiguration.safeParse({ sites }).success).toBe(false);
});
