import { expect, it } from '@jest/globals';
import type { SendResult } from '@tierline/channel';
import { refused, type Refusal } from './send-outcome.ts';

it.each<[string, Refusal, SendResult]>([
  [
    'a recipient who wrote STOP',
    { status: 400, retryAfter: undefined, code: 21610, message: 'Attempt to send to unsubscribed recipient' },
    { outcome: 'permanent', reason: 'Twilio answered 400, error 21610: Attempt to send to unsubscribed recipient' },
  ],
  [
    'a wrong token',
    { status: 401, retryAfter: undefined, code: 20003, message: undefined },
    { outcome: 'permanent', reason: 'Twilio answered 401, error 20003' },
  ],
  [
    'too fast, and when to come back',
    { status: 429, retryAfter: '7', code: 20429, message: undefined },
    { outcome: 'retry', reason: 'Twilio answered 429, error 20429', retryAfterMs: 7000 },
  ],
  ['too fast', { status: 429, retryAfter: undefined, code: undefined, message: undefined }, { outcome: 'retry', reason: 'Twilio answered 429' }],
  ['out of order', { status: 503, retryAfter: 'soon', code: undefined, message: undefined }, { outcome: 'retry', reason: 'Twilio answered 503' }],
  // The server behind the gateway may have taken it.
  ['a gateway that gave up', { status: 504, retryAfter: '1', code: undefined, message: undefined }, { outcome: 'unknown', reason: 'Twilio answered 504' }],
])('%s', (_, refusal, expected) => {
  expect(refused(refusal)).toEqual(expected);
});
