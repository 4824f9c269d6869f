import { createHash } from 'node:crypto';

/** PostgreSQL takes neither NUL nor half a surrogate pair in text, and nobody can see either. */
const UNSTORABLE = /\0|\p{Surrogate}/gu;
/** A B-tree entry holds at most 2,704 bytes; a key has company there. */
const MAX_KEY_BYTES = 512;

/** A copy of `value` whose strings, keys included, can be stored as text. */
export function storable<T>(value: T): T {
  if (typeof value === 'string') return value.replace(UNSTORABLE, '') as T;
  if (Array.isArray(value)) return value.map(storable) as T;
  if (value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [storable(key), storable(inner as unknown)])) as T;
  }
  return value;
}

/** A key that an index can hold; different keys stay different. */
export function storableKey(key: string): string {
  if (key.search(UNSTORABLE) < 0 && Buffer.byteLength(key) <= MAX_KEY_BYTES) return key;
  return `sha256:${createHash('sha256').update(key, 'utf16le').digest('hex')}`;
}
