import { contact as schema, type Contact } from '@tierline/events';
import { expect, it } from '@jest/globals';
import { ProbeAdapter, rawItem } from '../test/probe-adapter.ts';
import { shortened } from './shortened.ts';
import { storable } from './storable.ts';
import { toContact } from './to-contact.ts';

const context = {
  contactId: '0195a000-0000-7000-8000-000000000001',
  raw: { ref: 'inbound:probe/1', sha256: '0', mediaType: 'application/json', bytes: 1 },
  receivedAt: new Date(0),
  secret: '',
  saveBlob: () => Promise.reject(new Error('none')),
};
const contact = (await toContact(new ProbeAdapter(), rawItem('1'), context)) as Contact;
const somebody = { type: 'email' as const, value: 'a@example.org', normalized: 'a@example.org', verified: false };

it('leaves an ordinary contact as it is', () => {
  const large = { ...contact, text: 'x'.repeat(400_000) };
  expect(shortened(large)).toBe(large);
});

it.each<[string, Partial<Contact>]>([
  ['a text of 10 MB', { text: '\u0001'.repeat(10_000_000), textStripped: '\u0001'.repeat(10_000_000), html: '\u0001'.repeat(10_000_000) }],
  ['20,000 recipients', { to: Array.from({ length: 20_000 }, () => somebody), cc: Array.from({ length: 20_000 }, () => somebody) }],
  ['a subject of a megabyte', { subject: 'x'.repeat(1_000_000) }],
  ['a name of a megabyte', { from: { ...somebody, display: `x${'👍'.repeat(500_000)}` } }],
  ['a million fields', { ext: { form: Object.fromEntries(Array.from({ length: 100_000 }, (_, n) => [`field ${n}`, 'x'])) } }],
])('makes an event of %s', (_, part) => {
  const short = shortened({ ...contact, ...part });
  expect(schema.parse(short)).toEqual(short);
  expect(storable(short)).toBe(short);
  expect(short).toMatchObject({ id: contact.id, dedupeKey: contact.dedupeKey, flags: { truncated: true } });
  expect(Buffer.byteLength(JSON.stringify(short))).toBeLessThan(4 * 1024 * 1024);
});
