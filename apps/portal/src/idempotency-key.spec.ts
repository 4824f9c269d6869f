import { expect, it } from '@jest/globals';
import { idempotencyKey } from './idempotency-key.ts';

it.each([
  ['"8e03978e-40d5-43e8-bc93-6894a57f9324"', '8e03978e-40d5-43e8-bc93-6894a57f9324'],
  ['8e03978e-40d5-43e8-bc93-6894a57f9324', '8e03978e-40d5-43e8-bc93-6894a57f9324'],
  [' "with space" ', 'with space'],
  [String.raw`"a \"quote\" and a \\"`, String.raw`a "quote" and a \ `.trimEnd()],
  ['a'.repeat(255), 'a'.repeat(255)],
])('reads %j', (header, key) => {
  expect(idempotencyKey(header)).toBe(key);
});

it.each(['', '""', ' ', '"open', 'two words', '"é"', String.raw`"\n"`, 'a'.repeat(256), 'nul\0'])('refuses %j', (header) => {
  expect(idempotencyKey(header)).toBeUndefined();
});
