import { expect, it } from '@jest/globals';
import type { SendResult } from '@tierline/channel';
import { refused, type Refusal } from './send-outcome.ts';

const NOW = new Date('2026-03-01T10:00:00.000Z');
const nowSec = NOW.getTime() / 1000;

it.each<[string, Refusal, SendResult]>([
  [
    'a post that repeats another',
    { status: 403, detail: 'You are not allowed to create a Tweet with duplicate content.', resetsAtSec: nowSec + 60 },
    { outcome: 'permanent', reason: 'X answered 403: You are not allowed to create a Tweet with duplicate content.' },
  ],
  [
    'too many',
    { status: 429, detail: 'Too Many Requests', resetsAtSec: nowSec + 60 },
    { outcome: 'retry', reason: 'X answered 429: Too Many Requests', retryAfterMs: 61_000 },
  ],
  [
    'too many, until a moment that has passed by our clock',
    { status: 429, detail: undefined, resetsAtSec: nowSec - 5 },
    { outcome: 'retry', reason: 'X answered 429', retryAfterMs: 1000 },
  ],
  ['out of order', { status: 503, detail: undefined, resetsAtSec: undefined }, { outcome: 'retry', reason: 'X answered 503' }],
  // The server behind the gateway may have taken it.
  ['a gateway that gave up', { status: 504, detail: undefined, resetsAtSec: undefined }, { outcome: 'unknown', reason: 'X answered 504' }],
])('%s', (_, refusal, expected) => {
  expect(refused(refusal, NOW)).toEqual(expected);
});
