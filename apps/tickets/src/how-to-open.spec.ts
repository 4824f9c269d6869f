import { describe, expect, it } from '@jest/globals';
import { howToOpen, isAddressedToUs, isAutomatic, previewOf } from './how-to-open.ts';

const mail = { channel: 'email', subject: 'The bill is wrong', text: 'You charged me twice in May.', flags: {} };

describe('howToOpen', () => {
  it('takes an ordinary mail as it is', () => {
    const contact = { ...mail, subject: ' Broken ', priority: 'high', language: { code: 'en', confidence: 0.9, reliable: true } } as const;
    expect(howToOpen(contact)).toEqual({ subject: 'Broken', priority: 'high', labels: [], language: 'en', silent: false });
  });

  it.each([
    [{ bounce: true }, { labels: ['bounce'], priority: 'low', silent: true }],
    [{ spam: true }, { labels: ['spam'], priority: 'low', silent: true }],
    [{ unparsable: true }, { labels: ['unparsable'], priority: 'high', silent: false }],
    [{ autoReply: true }, { labels: [], priority: 'high', silent: true }],
    [{ bulk: true }, { labels: [], priority: 'high', silent: true }],
    [{ optOut: true }, { labels: [], priority: 'high', silent: true }],
  ])('%j', (flags, opening) => {
    expect(howToOpen({ ...mail, priority: 'high', flags })).toMatchObject(opening);
  });

  it.each([
    [{ subject: undefined, text: 'No connection\nsince Monday' }, 'No connection'],
    [{ subject: '  ', text: 'x'.repeat(200) }, 'x'.repeat(100)],
    [{ subject: undefined, text: undefined }, '(email, no subject)'],
  ])('finds a subject in %j', (given, subject) => {
    expect(howToOpen({ ...mail, ...given }).subject).toBe(subject);
  });

  it('does not believe a language that was guessed', () => {
    expect(howToOpen({ ...mail, language: { code: 'fi', confidence: 0.2, reliable: false } }).language).toBeNull();
  });
});

describe('previewOf', () => {
  it.each([
    [{ textStripped: 'Yes, please', text: 'Yes, please\n> Shall I?' }, 'Yes, please'],
    [{ textStripped: '', text: '> Shall I?' }, '> Shall I?'],
    [{ subject: 'Only this' }, 'Only this'],
    [{}, ''],
    [{ text: 'a'.repeat(600) }, 'a'.repeat(500)],
    [{ text: `${'a'.repeat(499)}😀` }, 'a'.repeat(499)],
  ])('%#', (said, preview) => {
    expect(previewOf(said)).toBe(preview);
  });
});

describe('isAutomatic', () => {
  it.each([
    [{}, false],
    [{ bulk: true }, false],
    [{ autoReply: true }, true],
    [{ bounce: true }, true],
  ])('%j → %s', (flags, automatic) => {
    expect(isAutomatic({ flags })).toBe(automatic);
  });
});

describe('isAddressedToUs', () => {
  it.each([
    [{ kind: 'message', direction: 'inbound', flags: {} }, true],
    [{ kind: 'call', direction: 'inbound', flags: {} }, true],
    [{ kind: 'message', direction: 'outbound', flags: {} }, false],
    [{ kind: 'message', direction: 'inbound', flags: { echo: true } }, false],
    [{ kind: 'status', direction: 'inbound', flags: {} }, false],
    [{ kind: 'update', direction: 'inbound', flags: {} }, false],
    [{ kind: 'reaction', direction: 'inbound', flags: {} }, false],
    [{ kind: 'system', direction: 'inbound', flags: {} }, false],
  ] as const)('%j → %s', (contact, addressed) => {
    expect(isAddressedToUs(contact)).toBe(addressed);
  });
});
