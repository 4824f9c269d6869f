import { createHash } from 'node:crypto';

/** PostgreSQL takes neither NUL nor half a surrogate pair in text, and nobody can see either. */
const UNSTORABLE = /\0|\p{Surrogate}/gu;
/** A B-tree entry holds at most 2,704 bytes; a key has company there. */
const MAX_KEY_BYTES = 512;

/** The value, or where a string in it (keys included) cannot be stored as text, a copy in which all can. */
export function storable<T>(value: T): T {
  return isStorable(value) ? value : cleaned(value);
}

/** Nearly everything is storable as it is: looking costs a fifth of copying. */
function isStorable(value: unknown): boolean {
  if (typeof value === 'string') return isStorableText(value);
  if (Array.isArray(value)) return value.every(isStorable);
  if (!isPlain(value)) return true;
  for (const key in value) if (!isStorableText(key) || !isStorable(value[key])) return false;
  return true;
}

function isStorableText(text: string): boolean {
  // ES2024; Node has it since 20.
  return !text.includes('\0') && (text as string & { isWellFormed(): boolean }).isWellFormed();
}

function cleaned<T>(value: T): T {
  if (typeof value === 'string') return value.replace(UNSTORABLE, '') as T;
  if (Array.isArray(value)) return value.map(cleaned) as T;
  if (!isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [cleaned(key), cleaned(inner)])) as T;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype;
}

/** A key that an index can hold; different keys stay different. */
export function storableKey(key: string): string {
  if (isStorableText(key) && Buffer.byteLength(key) <= MAX_KEY_BYTES) return key;
  return `sha256:${createHash('sha256').update(key, 'utf16le').digest('hex')}`;
}
