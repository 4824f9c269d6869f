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

/** A copy with the value at a dotted path replaced, or removed when it is undefined. */
function changed(path: string, value: unknown): JsonSchema {
  const copy = structuredClone(before);
  const steps = path.split('.');
  const last = steps.pop()!;
  let node = copy;
  for (const step of steps) node = node[step] as JsonSchema;
  if (value === undefined) delete node[last];
  else node[last] = value;
  return copy;
}

it('lets an optional field be added', () => {
  expect(breakingChanges(before, changed('properties.note', { type: 'string' }))).toEqual([]);
});

it.each<[string, string, unknown, string]>([
  ['a removed field', 'properties.tags', undefined, 'tags: removed'],
  ['a new required field', 'required', ['id', 'state', 'who', 'note'], 'note: newly required, old data lacks it'],
  ['a required field that became optional', 'required', ['state', 'who'], 'id: no longer required, old readers rely on it'],
  ['another type', 'properties.id.type', 'integer', 'id: type "string" became "integer"'],
  ['a narrower limit', 'properties.id.maxLength', 20, 'id: maxLength 40 became 20'],
  ['a lost enum value', 'properties.state.enum', ['open'], 'state: enum lost "closed"'],
  ['a new enum value, which old readers do not know', 'properties.state.enum', ['open', 'closed', 'new'], 'state: enum grew by "new"'],
  ['a change behind a reference', '$defs.Who.properties.name.type', 'number', 'who.name: type "string" became "number"'],
  ['a change inside a list', 'properties.tags.items.type', 'number', 'tags[]: type "string" became "number"'],
])('refuses %s', (_, path, value, fault) => {
  expect(breakingChanges(before, changed(path, value))).toEqual([fault]);
});
