import { expect, it } from '@jest/globals';
import { messageIds } from './message-ids.ts';

it.each([
  ['<a@x>', ['a@x']],
  ['<a@x><b@x>\r\n\t<c@x>', ['a@x', 'b@x', 'c@x']],
  ['Your message of "Sun, 4 Jan" <a@x> (Ann)', ['a@x']],
  ['< a b@x >', ['ab@x']],
  ['a@x', ['a@x']],
  ['a@x, b@x', ['a@x', 'b@x']],
  ['Your letter, ann@example.org', []],
  ['<12345>', ['12345']],
  ['<nul\0@x>', ['nul@x']],
  ['', []],
  ['<>', []],
  ['< >', []],
  ['<@>', []],
])('%s', (field, ids) => {
  expect(messageIds(field)).toEqual(ids);
});

it('keeps an endless id short, and different ones different', () => {
  const [one, other] = [messageIds(`<${'a'.repeat(1_000_000)}@x>`)[0]!, messageIds(`<${'a'.repeat(1_000_001)}@x>`)[0]!];
  expect(one).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(one).not.toBe(other);
});
