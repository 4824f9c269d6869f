import type { Contact, MessageRequested } from '@tierline/events';
import type { LogTransaction } from '@tierline/log';
import { outboundMessageId, subjectToken } from './message-id.ts';
import { idsOf, placeMail, recordsOf, tokenId, type KnownId } from './place-mail.ts';

/** What an answer must say of the mails before it. Message ids without brackets. */
export interface PreparedMail {
  readonly messageId: string;
  readonly inReplyTo?: string;
  /** Oldest first. */
  readonly references: readonly string[];
  /** Of the mail that is answered. */
  readonly subject?: string;
}

/** Programs cut longer lists themselves; the first of them names the thread. */
const MAX_REFERENCES = 20;

interface ThreadRow extends KnownId {
  accountRef: string;
  subject: string | null;
}

/** Finds the conversations of mails in the order in which they came, so that an answer read together with its parent stays with it, and remembers their ids. */
export async function placeMails(tx: LogTransaction, contacts: readonly Contact[]): Promise<Contact[]> {
  // One at a time: two that answer each other must not both begin a conversation.
  await tx.query(`SELECT pg_advisory_xact_lock(hashtext('email.thread'))`);
  const known = await load(tx, contacts);
  const ofTickets = await conversationsOfTickets(tx, contacts);
  const fresh = new Map<string, ThreadRow>();
  const placed = contacts.map((contact) => {
    const ids = known.get(contact.accountRef) ?? new Map<string, KnownId>();
    known.set(contact.accountRef, ids);
    const mail = placeMail(contact, ids, ofTickets.get(`${contact.accountRef}\n${contact.threading.ticketId}`));
    for (const record of recordsOf(mail)) {
      const before = ids.get(record.messageId);
      if (before && !(before.kind === 'mention' && record.kind === 'mail')) continue;
      ids.set(record.messageId, record);
      fresh.set(`${contact.accountRef}\n${record.messageId}`, {
        ...record,
        accountRef: contact.accountRef,
        subject: record.kind === 'mail' ? (mail.subject ?? null) : null,
      });
    }
    return mail;
  });
  await save(tx, [...fresh.values()]);
  return placed;
}

/** What mails that are about to be sent must say of those before them; their own ids are remembered, so that answers find their way back. */
export async function prepareMails(
  tx: LogTransaction,
  messages: readonly MessageRequested['data'][],
  domainOf: (accountRef: string) => string,
  secret: string,
): Promise<Map<string, PreparedMail>> {
  const threads = await recentIds(tx, [...new Set(messages.map(({ conversationKey }) => conversationKey))]);
  const fresh: ThreadRow[] = [];
  const prepared = messages.map((message): [string, PreparedMail] => {
    const { messageId, ticketId, accountRef, conversationKey } = message;
    const id = outboundMessageId(messageId, ticketId, domainOf(accountRef), secret);
    // A notice goes to our own people and is no part of what is said with the customer.
    if (message.kind === 'notice') return [messageId, { messageId: id, references: [] }];
    const thread = threads.get(conversationKey) ?? [];
    const last = thread.findLast(({ kind }) => kind === 'mail') ?? thread.at(-1);
    const ids = thread.map((row) => row.messageId);
    const references = ids.length > MAX_REFERENCES ? [ids[0]!, ...ids.slice(1 - MAX_REFERENCES)] : ids;
    const ours = { accountRef, conversationKey, sender: null, subject: null, ticketId };
    const sent: ThreadRow = { ...ours, messageId: id, kind: 'sent' };
    fresh.push(sent, { ...ours, messageId: tokenId(subjectToken(ticketId, secret)), kind: 'token' });
    threads.set(conversationKey, [...thread, sent]);
    return [messageId, { messageId: id, ...(last && { inReplyTo: last.messageId }), references, ...(last?.subject && { subject: last.subject }) }];
  });
  await save(tx, fresh);
  return new Map(prepared);
}

async function load(tx: LogTransaction, contacts: readonly Contact[]): Promise<Map<string, Map<string, KnownId>>> {
  const wanted = contacts.flatMap((contact) => idsOf(contact).map((id) => [contact.accountRef, id] as const));
  const rows = await tx.query<ThreadRow>(
    `SELECT account_ref AS "accountRef", message_id AS "messageId", conversation_key AS "conversationKey", kind, sender, ticket_id AS "ticketId"
     FROM email.thread JOIN (SELECT DISTINCT * FROM unnest($1::text[], $2::text[]) AS w(account_ref, message_id)) w USING (account_ref, message_id)`,
    [wanted.map(([accountRef]) => accountRef), wanted.map(([, id]) => id)],
  );
  const known = new Map<string, Map<string, KnownId>>();
  for (const row of rows) known.set(row.accountRef, (known.get(row.accountRef) ?? new Map<string, KnownId>()).set(row.messageId, row));
  return known;
}

/** The conversation that each named ticket was last answered in, by account and ticket. */
async function conversationsOfTickets(tx: LogTransaction, contacts: readonly Contact[]): Promise<Map<string, string>> {
  const signed = contacts.filter(({ threading }) => threading.ticketId !== undefined);
  if (signed.length === 0) return new Map();
  const rows = await tx.query<{ account_ref: string; ticket_id: string; conversation_key: string }>(
    `SELECT DISTINCT ON (account_ref, ticket_id) account_ref, ticket_id, conversation_key
     FROM email.thread JOIN unnest($1::text[], $2::uuid[]) AS w(account_ref, ticket_id) USING (account_ref, ticket_id) ORDER BY account_ref, ticket_id, seq DESC`,
    [signed.map(({ accountRef }) => accountRef), signed.map(({ threading }) => threading.ticketId)],
  );
  return new Map(rows.map((row) => [`${row.account_ref}\n${row.ticket_id}`, row.conversation_key]));
}

/** The mails of conversations, oldest first: the first, and the last ones. */
async function recentIds(tx: LogTransaction, conversationKeys: readonly string[]): Promise<Map<string, ThreadRow[]>> {
  const rows = await tx.query<ThreadRow>(
    `SELECT m.account_ref AS "accountRef", m.message_id AS "messageId", m.conversation_key AS "conversationKey", m.kind, m.sender, m.subject, m.ticket_id AS "ticketId"
     FROM unnest($1::text[]) AS c(key) CROSS JOIN LATERAL (
       (SELECT * FROM email.thread WHERE conversation_key = c.key AND kind IN ('mail', 'sent') ORDER BY seq LIMIT 1)
       UNION
       (SELECT * FROM email.thread WHERE conversation_key = c.key AND kind IN ('mail', 'sent') ORDER BY seq DESC LIMIT ${MAX_REFERENCES})) m
     ORDER BY m.seq`,
    [conversationKeys],
  );
  const threads = new Map<string, ThreadRow[]>();
  for (const row of rows) threads.set(row.conversationKey, [...(threads.get(row.conversationKey) ?? []), row]);
  return threads;
}

async function save(tx: LogTransaction, rows: ThreadRow[]): Promise<void> {
  if (rows.length === 0) return;
  await tx.query(
    // In the order of their mails, which is the order of `seq`. A mail that was named before it came is no mere mention any more.
    `INSERT INTO email.thread AS t (account_ref, message_id, conversation_key, kind, sender, subject, ticket_id)
     SELECT account_ref, message_id, conversation_key, kind, sender, subject, ticket_id
     FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::uuid[]) WITH ORDINALITY
       AS n(account_ref, message_id, conversation_key, kind, sender, subject, ticket_id, ordinal) ORDER BY ordinal
     ON CONFLICT (account_ref, message_id) DO UPDATE SET kind = excluded.kind, sender = excluded.sender, subject = excluded.subject
     WHERE t.kind = 'mention' AND excluded.kind = 'mail'`,
    [
      rows.map((row) => row.accountRef),
      rows.map((row) => row.messageId),
      rows.map((row) => row.conversationKey),
      rows.map((row) => row.kind),
      rows.map((row) => row.sender),
      rows.map((row) => row.subject),
      rows.map((row) => row.ticketId),
    ],
  );
}
