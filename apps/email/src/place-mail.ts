import type { Contact } from '@tierline/events';
import { conversationKeyOf } from './mail-contact.ts';

/** A message id that a mailbox knows, and where it belongs. */
export interface KnownId {
  readonly messageId: string;
  readonly conversationKey: string;
  /** Of a mail that came; of one that another mail names; of one that we sent; a mark in a subject. */
  readonly kind: 'mail' | 'mention' | 'sent' | 'token';
  /** Who sent the mail that came. */
  readonly sender: string | null;
  /** Only of what we made ourselves, which nobody can guess: whoever names it, answers this ticket. */
  readonly ticketId: string | null;
}

/** The nearest mails are those that may still arrive; of a longer list the first is enough, which names the thread. */
const MAX_MENTIONS = 20;

/** The id under which a mark in a subject is known. */
export function tokenId(token: string): string {
  return `[#${token}]`;
}

/** The ids by which a mail may be placed: its own, and those that it names. */
export function idsOf(contact: Contact): string[] {
  return [contact.externalId, ...contact.threading.parents, ...tokensOf(contact)];
}

/**
 * Where a mail belongs: with the ticket that it proves to answer, with the nearest mail it answers, with an answer to itself that came earlier, or by a mark
 * that we wrote into its subject. `known` holds what is known of `idsOf` the mail; `ofTicket` is the conversation that we last wrote from about its ticket.
 */
export function placeMail(contact: Contact, known: ReadonlyMap<string, KnownId>, ofTicket: string | undefined): Contact {
  const own = known.get(contact.externalId);
  const parent = first(contact.threading.parents, known);
  // A program that gives every mail the same id must not join strangers; the same mail by another way is the same sender's.
  const isOwn = own && (own.kind === 'mention' || (own.kind === 'mail' && own.sender === contact.from.normalized));
  const found = parent ?? (isOwn ? own : undefined) ?? first(tokensOf(contact), known);
  const isRepeatedId = !found && own !== undefined;
  const key =
    ofTicket ?? found?.conversationKey ?? (isRepeatedId ? conversationKeyOf(contact.accountRef, `mail:${contact.raw.sha256}`) : contact.conversationKey);
  const ticketId = contact.threading.ticketId ?? found?.ticketId ?? undefined;
  return { ...contact, conversationKey: key, threading: { ...contact.threading, ...(ticketId !== undefined && { ticketId }) } };
}

/** What there is to remember of a placed mail: itself, and the mails that it names, which may arrive later. */
export function recordsOf(placed: Contact): KnownId[] {
  const { conversationKey, externalId, from } = placed;
  const parents = placed.threading.parents.filter((id) => id !== externalId);
  const mentions = parents.length > MAX_MENTIONS ? [...parents.slice(0, MAX_MENTIONS - 1), parents.at(-1)!] : parents;
  return [
    { messageId: externalId, conversationKey, kind: 'mail', sender: from.normalized, ticketId: null },
    ...mentions.map((messageId): KnownId => ({ messageId, conversationKey, kind: 'mention', sender: null, ticketId: null })),
  ];
}

function first(ids: readonly string[], known: ReadonlyMap<string, KnownId>): KnownId | undefined {
  for (const id of ids) {
    const row = known.get(id);
    if (row) return row;
  }
  return undefined;
}

function tokensOf(contact: Contact): string[] {
  const { subjectTokens = [] } = (contact.ext?.['email'] ?? {}) as { subjectTokens?: string[] };
  return subjectTokens.map(tokenId);
}
