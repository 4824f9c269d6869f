import { describe, expect, it } from '@jest/globals';
import { e164, phoneParty } from './phone-number.ts';

const OURS = '+18005551212';

it.each<[string, string | undefined, string | undefined]>([
  ['+1 (415) 867-5309', undefined, '+14158675309'],
  ['+44 20 7946 0958', undefined, '+442079460958'],
  // National numbers are of the country of the number that was called.
  ['(415) 867-5309', OURS, '+14158675309'],
  ['020 7946 0958', '+442079460000', '+442079460958'],
  // Twilio's magic test number: possible, though nobody's.
  ['+15005550006', undefined, '+15005550006'],
  ['4158675309', undefined, undefined],
  ['hello', OURS, undefined],
  ['+', OURS, undefined],
])('reads %p (to %p) as %p', (value, ourNumber, expected) => {
  expect(e164(value, ourNumber)).toBe(expected);
});

describe('somebody at the other end', () => {
  it.each<[string, ReturnType<typeof phoneParty>]>([
    ['+14158675309', { type: 'phone', value: '+14158675309', normalized: '+14158675309', verified: true }],
    ['41586', { type: 'phone', value: '41586', normalized: '41586', verified: true }],
    // Anybody may write any name there.
    ['ACME Bank', { type: 'handle', value: 'ACME Bank', normalized: 'acme bank', verified: false }],
    ['client:Ann', { type: 'handle', value: 'client:Ann', normalized: 'client:ann', verified: false }],
    ['sip:ann@example.org', { type: 'handle', value: 'sip:ann@example.org', normalized: 'sip:ann@example.org', verified: false }],
    ['Anonymous', { type: 'anonymous', value: 'Anonymous', normalized: '', verified: false }],
    ['+266696687', { type: 'anonymous', value: '+266696687', normalized: '', verified: false }],
    ['', { type: 'anonymous', value: '', normalized: '', verified: false }],
  ])('who calls as %p', (value, expected) => {
    expect(phoneParty(value, OURS, true)).toEqual(expected);
  });
});
