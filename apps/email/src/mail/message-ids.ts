import { createHash } from 'node:crypto';

/** Cap of RFC-minded programs is 998 characters a line; an index entry holds less. */
const MAX_ID = 250;

/**
 * The message ids in a field, without their brackets. Programs send them with spaces, without brackets, several where one is meant, or none:
 * an empty id is no id, so that it never matches another.
 */
export function messageIds(value: string): string[] {
  const bracketed = [...value.matchAll(/<([^<>\s]+)>/g)].map((match) => match[1]!);
  const ids = bracketed.length > 0 ? bracketed : value.split(/[\s<>,]+/).filter((word) => word.includes('@'));
  return ids.filter((id) => /[^@.]/.test(id)).map((id) => (id.length <= MAX_ID ? id : `sha256:${createHash('sha256').update(id).digest('hex')}`));
}
