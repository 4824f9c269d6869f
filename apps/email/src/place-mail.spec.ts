import { describe, expect, it } from '@jest/globals';
import type { Contact } from '@tierline/events';
import { emailParty, sampleContact } from '@tierline/testing';
import { conversationKeyOf } from './mail-contact.ts';
import { placeMail, recordsOf, tokenId, type KnownId } from './place-mail.ts';

const ACCOUNT = 'support@acme.example';
const key = (root: string): string => conversationKeyOf(ACCOUNT, root);

function mail(id: string, parents: string[] = [], given: Partial<Contact> = {}): Contact {
  return sampleContact({ accountRef: ACCOUNT, externalId: id, conversationKey: key(parents.at(-1) ?? id), threading: { parents }, ...given });
}

/** Places mails in the order in which they come, and says where. */
function place(...mails: Contact[]): string[] {
  const known = new Map<string, KnownId>();
  return mails.map((contact) => {
    const placed = placeMail(contact, known, undefined);
    for (const record of recordsOf(placed)) {
      const before = known.get(record.messageId);
      if (!before || (before.kind === 'mention' && record.kind === 'mail')) known.set(record.messageId, record);
    }
    return placed.conversationKey;
  });
}

describe('placeMail', () => {
  it('keeps an answer with its parent, also when the answer comes first', () => {
    expect(place(mail('a'), mail('b', ['a']))).toEqual([key('a'), key('a')]);
    expect(place(mail('b', ['a']), mail('a'))).toEqual([key('a'), key('a')]);
  });

  it('keeps a whole thread together, in whatever order it comes', () => {
    const thread = [mail('a'), mail('b', ['a']), mail('c', ['b', 'a']), mail('d', ['c', 'b', 'a'])];
    for (const order of [
      [0, 1, 2, 3],
      [3, 2, 1, 0],
      [2, 0, 3, 1],
      [1, 3, 0, 2],
    ]) {
      expect(new Set(place(...order.map((index) => thread[index]!))).size).toBe(1);
    }
  });

  it('joins an answer whose program names only its parent', () => {
    expect(place(mail('a'), mail('b', ['a']), mail('c', ['b']))).toEqual([key('a'), key('a'), key('a')]);
  });

  it('keeps mails apart that name nothing', () => {
    expect(place(mail('a'), mail('b'))).toEqual([key('a'), key('b')]);
  });

  it('does not join strangers whose programs give every mail the same id', () => {
    const [one, other] = [mail('same', [], { from: emailParty('ann@example.org') }), mail('same', [], { from: emailParty('bob@example.org') })];
    const keys = place(one, other);
    expect(keys[0]).toBe(key('same'));
    expect(keys[1]).toBe(key(`mail:${other.raw.sha256}`));
  });

  it('keeps two copies of the same sender’s mail together', () => {
    expect(place(mail('same'), mail('same'))).toEqual([key('same'), key('same')]);
  });

  describe('with what we sent', () => {
    const ticketId = '019b8f3e-7c00-7abc-8def-0123456789ab';
    const ours = (messageId: string, kind: KnownId['kind']): [string, KnownId] => [
      messageId,
      { messageId, conversationKey: 'chat:site:1', kind, sender: null, ticketId },
    ];

    it('takes an answer to the conversation that we answered in', () => {
      const placed = placeMail(mail('b', ['ours']), new Map([ours('ours', 'sent')]), undefined);
      expect(placed).toMatchObject({ conversationKey: 'chat:site:1', threading: { ticketId, parents: ['ours'] } });
    });

    it('knows its mark in the subject when nothing else is left', () => {
      const contact = mail('b', [], { ext: { email: { subjectTokens: ['x2345678yz'] } } });
      expect(placeMail(contact, new Map([ours(tokenId('x2345678yz'), 'token')]), undefined)).toMatchObject({
        conversationKey: 'chat:site:1',
        threading: { ticketId },
      });
      expect(placeMail(contact, new Map(), undefined)).toMatchObject({ conversationKey: key('b'), threading: { parents: [] } });
    });

    it('follows a signed ticket before anything else', () => {
      const placed = placeMail(mail('b', ['a'], { threading: { ticketId, parents: ['a'] } }), new Map([ours('a', 'mail')]), key('z'));
      expect(placed.conversationKey).toBe(key('z'));
    });
  });
});
