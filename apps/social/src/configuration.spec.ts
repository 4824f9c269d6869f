import { expect, it } from '@jest/globals';
import { socialConfiguration } from './configuration.ts';

const shop = { account: '1700000000000000001', handle: 'shop', appKey: 'key', consumerSecret: 'secret', accessToken: 'token', accessSecret: 'secret' };

it('fills in the address of X', () => {
  expect(socialConfiguration.parse({ x: [shop] }).x).toEqual([{ ...shop, apiUrl: 'https://api.x.com' }]);
});

it('names every fault at once', () => {
  const faults = (x: unknown[]) => socialConfiguration.safeParse({ x }).error!.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  expect(faults([{ ...shop, account: '@shop', handle: '@shop', accessToken: '' }])).toEqual([
    'x.0.handle: expected a name of at most 15 letters, digits and underscores, without @',
    'x.0.accessToken: Too small: expected string to have >=1 characters',
    'x.0.account: expected the numeric id of the account',
  ]);
  expect(faults([shop, { ...shop, appKey: 'another' }])).toEqual([
    'x.1.account: 1700000000000000001 stands here twice',
    'x.1.appKey: one webhook serves one app: expected the same key for all accounts',
  ]);
});
