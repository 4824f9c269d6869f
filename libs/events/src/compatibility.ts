import type { JsonSchema } from './contracts.ts';

/**
 * What a reader of `before` could trip over in data written by `after`, or the other way round; empty when both understand each other.
 * Within a version only optional fields may be added.
 */
export function breakingChanges(before: JsonSchema, after: JsonSchema): string[] {
  return compare(before, after, { before, after }, '');
}

interface Roots {
  before: JsonSchema;
  after: JsonSchema;
}

function compare(beforeNode: JsonSchema, afterNode: JsonSchema, roots: Roots, path: string): string[] {
  const before = follow(beforeNode, roots.before);
  const after = follow(afterNode, roots.after);
  const at = path === '' ? '(root)' : path;
  const faults: string[] = [];
  if (JSON.stringify(before['type']) !== JSON.stringify(after['type'])) return [`${at}: type ${text(before['type'])} became ${text(after['type'])}`];
  for (const keyword of ['const', 'format', 'pattern'] as const) {
    if (after[keyword] !== undefined && after[keyword] !== before[keyword])
      faults.push(`${at}: ${keyword} ${text(before[keyword])} became ${text(after[keyword])}`);
  }
  for (const [keyword, narrower] of LIMITS) {
    const limit = after[keyword];
    if (typeof limit === 'number' && (before[keyword] === undefined || narrower(limit, Number(before[keyword])))) {
      faults.push(`${at}: ${keyword} ${text(before[keyword])} became ${limit}`);
    }
  }
  faults.push(...compareEnum(before['enum'], after['enum'], at));
  faults.push(...compareObject(before, after, roots, path));
  if (before['items'] && after['items']) faults.push(...compare(before['items'] as JsonSchema, after['items'] as JsonSchema, roots, `${path}[]`));
  return faults;
}

const LIMITS: readonly [string, (after: number, before: number) => boolean][] = [
  ['maxLength', (after, before) => after < before],
  ['maxItems', (after, before) => after < before],
  ['maximum', (after, before) => after < before],
  ['minLength', (after, before) => after > before],
  ['minItems', (after, before) => after > before],
  ['minimum', (after, before) => after > before],
  ['exclusiveMinimum', (after, before) => after > before],
];

/** A value less breaks old data; a value more breaks old readers. */
function compareEnum(before: unknown, after: unknown, at: string): string[] {
  if (!Array.isArray(before) && !Array.isArray(after)) return [];
  if (!Array.isArray(before) || !Array.isArray(after)) return [`${at}: enum ${text(before)} became ${text(after)}`];
  return [
    ...before.filter((value) => !after.includes(value)).map((value) => `${at}: enum lost ${text(value)}`),
    ...after.filter((value) => !before.includes(value)).map((value) => `${at}: enum grew by ${text(value)}`),
  ];
}

function compareObject(before: JsonSchema, after: JsonSchema, roots: Roots, path: string): string[] {
  const beforeProperties = (before['properties'] ?? {}) as Record<string, JsonSchema>;
  const afterProperties = (after['properties'] ?? {}) as Record<string, JsonSchema>;
  const beforeRequired = new Set((before['required'] ?? []) as string[]);
  const afterRequired = new Set((after['required'] ?? []) as string[]);
  const faults: string[] = [];
  for (const [name, schema] of Object.entries(beforeProperties)) {
    const at = path === '' ? name : `${path}.${name}`;
    const now = afterProperties[name];
    if (!now) faults.push(`${at}: removed`);
    else faults.push(...compare(schema, now, roots, at));
    if (beforeRequired.has(name) && now && !afterRequired.has(name)) faults.push(`${at}: no longer required, old readers rely on it`);
  }
  for (const name of afterRequired) if (!beforeRequired.has(name)) faults.push(`${path === '' ? name : `${path}.${name}`}: newly required, old data lacks it`);
  return faults;
}

function follow(node: JsonSchema, root: JsonSchema): JsonSchema {
  const reference = node['$ref'];
  return typeof reference === 'string' ? ((root['$defs'] as Record<string, JsonSchema>)[reference.slice('#/$defs/'.length)] ?? {}) : node;
}

const text = (value: unknown): string => (value === undefined ? 'nothing' : JSON.stringify(value));
