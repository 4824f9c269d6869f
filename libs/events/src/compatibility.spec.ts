import { expect, it } from '@jest/globals';
import { breakingChanges } from './compatibility.ts';
import type { JsonSchema } from './contracts.ts';

const before: JsonSchema = {
  type: 'object',
  required: ['id', 'state', 'who'],
  properties: {
    id: { type: 'string', maxLength: 40 },
    state: { enum: ['open', 'closed'] },
    who: { $ref: '#/$defs/Who' },
    tags: { type: 'array', items: { type: 'string' } },
  },
  $defs: { Who: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } } },
};

const changed = (edit: (schema: any) => void): JsonSchema => {
  const copy = structuredClone(before);
  edit(copy);
  return copy;
};

it('lets an optional field be added', () => {
  expect(
    breakingChanges(
      before,
      changed((s) => (s.properties.note = { type: 'string' })),
    ),
  ).toEqual([]);
});

it.each<[string, (schema: any) => void, string]>([
  ['a removed field', (s) => delete s.properties.tags, 'tags: removed'],
  ['a new required field', (s) => ((s.properties.note = { type: 'string' }), s.required.push('note')), 'note: newly required, old data lacks it'],
  ['a required field that became optional', (s) => s.required.shift(), 'id: no longer required, old readers rely on it'],
  ['another type', (s) => (s.properties.id.type = 'integer'), 'id: type "string" became "integer"'],
  ['a narrower limit', (s) => (s.properties.id.maxLength = 20), 'id: maxLength 40 became 20'],
  ['a lost enum value', (s) => s.properties.state.enum.pop(), 'state: enum lost "closed"'],
  ['a new enum value, which old readers do not know', (s) => s.properties.state.enum.push('new'), 'state: enum grew by "new"'],
  ['a change behind a reference', (s) => (s.$defs.Who.properties.name.type = 'number'), 'who.name: type "string" became "number"'],
  ['a change inside a list', (s) => (s.properties.tags.items.type = 'number'), 'tags[]: type "string" became "number"'],
])('refuses %s', (_, edit, fault) => {
  expect(breakingChanges(before, changed(edit))).toEqual([fault]);
});
