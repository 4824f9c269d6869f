import type { Contact } from '@tierline/events';
import { storable } from './storable.ts';

/** Larger contacts are shortened: an event may have 4 MiB, a character up to six bytes as JSON, and everybody downstream reads every contact. */
const MAX_CHARACTERS = 500_000;
const MAX_BODY_CHARACTERS = 100_000;
const MAX_HTML_CHARACTERS = 200_000;
/** What is no body is a name, an address, a subject. */
const MAX_OTHER_CHARACTERS = 1_000;
const MAX_ENTRIES = 100;

/** The contact, or where it is too large for an event, the beginning of all that is in it, flagged. The whole is under `raw`. */
export function shortened(contact: Contact): Contact {
  if (characters(contact) <= MAX_CHARACTERS) return contact;
  const { text, textStripped, html, ext: _, ...rest } = contact;
  // A cut may go through a surrogate pair.
  return storable({
    ...cut(rest),
    ...(text !== undefined && { text: text.slice(0, MAX_BODY_CHARACTERS) }),
    ...(textStripped !== undefined && { textStripped: textStripped.slice(0, MAX_BODY_CHARACTERS) }),
    // Half a tag is no tag to a browser, and nobody shows HTML without sanitising it again.
    ...(html !== undefined && { html: html.slice(0, MAX_HTML_CHARACTERS) }),
    flags: { ...contact.flags, truncated: true },
  });
}

function characters(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (value === null || typeof value !== 'object') return 8;
  let sum = 0;
  for (const [key, inner] of Object.entries(value)) sum += key.length + characters(inner);
  return sum;
}

function cut<T>(value: T): T {
  if (typeof value === 'string') return value.slice(0, MAX_OTHER_CHARACTERS) as T;
  if (Array.isArray(value)) return value.slice(0, MAX_ENTRIES).map(cut) as T;
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, MAX_ENTRIES)
      .map(([key, inner]) => [key, cut(inner as unknown)]),
  ) as T;
}
