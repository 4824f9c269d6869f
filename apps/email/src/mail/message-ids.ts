import { createHash } from 'node:crypto';

/** Cap of RFC-minded programs is 998 characters a line; an index entry holds less. */
const MAX_ID = 250;

/**
 * The message ids in a field, without their brackets. Programs send them with spaces inside, without brackets, several where one is meant, among words, or none:
 * an empty id is no id, so that it never matches another. Without brackets a field is believed only when there is nothing else in it: an address among words
 * would join everything its owner wrote.
 */
export function messageIds(field: string): string[] {
  const value = field.replaceAll('\0', '');
  const bracketed = [...value.matchAll(/<([^<>]*)>/g)].map((match) => match[1]!.replace(/\s+/g, ''));
  const words = value.split(/[\s,]+/).filter((word) => word !== '');
  const ids = bracketed.length > 0 ? bracketed : words.every((word) => word.includes('@')) ? words : [];
  return ids.filter((id) => /[^@.]/.test(id)).map((id) => (id.length <= MAX_ID ? id : `sha256:${createHash('sha256').update(id).digest('hex')}`));
}
