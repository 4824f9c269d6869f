import type { ReadMail } from './mail/read-mail.ts';
import { subjectTokens, ticketOfAddress, ticketOfMessageId } from './message-id.ts';

/** What a mail says about the conversation that it belongs to. */
export interface ThreadEvidence {
  /** The ticket that something names which only we can have signed. */
  readonly ticketId?: string;
  /** Message ids that the mail answers, nearest first. */
  readonly parents: readonly string[];
  /** Marks in the subject: evidence only when we remember having written them. */
  readonly subjectTokens: readonly string[];
}

/** Long threads list every mail they ever had; the nearest are enough, and the first, which names the thread. */
const MAX_PARENTS = 100;
const MAX_TOKENS = 3;

/** Strongest first: a signed reply address, a signed Message-ID among the parents, the parents themselves, a mark in the subject. The bare subject is none. */
export function threadEvidence(mail: Pick<ReadMail, 'recipients' | 'inReplyTo' | 'references' | 'subject' | 'deliveryReport'>, secret: string): ThreadEvidence {
  const reported = mail.deliveryReport?.originalId;
  const all = [...new Set([...(reported === undefined ? [] : [reported]), ...mail.inReplyTo, ...mail.references.toReversed()])];
  const parents = all.length > MAX_PARENTS ? [...all.slice(0, MAX_PARENTS - 1), all.at(-1)!] : all;
  const ticketId = firstOf(mail.recipients, (address) => ticketOfAddress(address, secret)) ?? firstOf(parents, (id) => ticketOfMessageId(id, secret));
  return { ...(ticketId !== undefined && { ticketId }), parents, subjectTokens: subjectTokens(mail.subject ?? '').slice(0, MAX_TOKENS) };
}

function firstOf<In, Out>(values: readonly In[], find: (value: In) => Out | undefined): Out | undefined {
  for (const value of values) {
    const found = find(value);
    if (found !== undefined) return found;
  }
  return undefined;
}
