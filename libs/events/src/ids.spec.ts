import { expect, it } from '@jest/globals';
import { derivedId, newId } from './ids.ts';

it('makes UUIDv7s that sort by time and never repeat', () => {
  const ids = Array.from({ length: 1_000 }, (_, index) => newId(1_700_000_000_000 + index));
  expect(new Set(ids).size).toBe(1_000);
  expect([...ids].sort()).toEqual(ids);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

it('derives the same id from the same cause, and another for each name and ordinal', () => {
  const cause = newId();
  expect(derivedId(cause, 'tickets/ticket.opened', 0)).toBe(derivedId(cause, 'tickets/ticket.opened', 0));
  expect(new Set([derivedId(cause, 'a'), derivedId(cause, 'b'), derivedId(cause, 'a', 1), derivedId(newId(), 'a')]).size).toBe(4);
  expect(derivedId(cause, 'a')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

it('derives ids that stay the same from release to release', () => {
  expect(derivedId('019a0000-0000-7000-8000-000000000000', 'tickets/ticket.opened', 3)).toBe('484b3ca7-9423-8375-b98f-fcab36ebad6a');
});
