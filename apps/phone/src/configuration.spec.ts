import { expect, it } from '@jest/globals';
import { phoneConfiguration } from './configuration.ts';

const number = { number: '+1 800 555 1212', accountSid: `AC${'0'.repeat(32)}`, authToken: 'token' };

it('normalizes numbers and fills in what most leave out', () => {
  expect(phoneConfiguration.parse({ numbers: [number] }).numbers).toEqual([
    { ...number, number: '+18005551212', apiUrl: 'https://api.twilio.com', greeting: expect.stringContaining('after the tone') },
  ]);
});

it('names every fault at once', () => {
  const faults = phoneConfiguration.safeParse({
    numbers: [number, { ...number, number: '+18005551212' }, { ...number, number: '5551212', accountSid: 'AC1', authToken: '', token: 'x' }],
  }).error!.issues;
  expect(faults.map(({ path, message }) => `${path.join('.')}: ${message}`)).toEqual([
    'numbers.2.accountSid: expected AC and 32 characters',
    'numbers.2.authToken: Too small: expected string to have >=1 characters',
    'numbers.2.number: expected a number with its country code, such as +14155550100',
    'numbers.2: Unrecognized key: "token"',
  ]);
  expect(phoneConfiguration.safeParse({ numbers: [number, { ...number, number: '+18005551212' }] }).error!.issues).toMatchObject([
    { path: ['numbers', 1, 'number'], message: '+18005551212 stands here twice' },
  ]);
});
