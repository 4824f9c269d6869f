import type { TicketStatus } from '@tierline/events';

/** What threading must know of a ticket. */
export interface Candidate {
  readonly id: string;
  readonly status: TicketStatus;
  readonly solvedAt: Date | null;
  /** The customers who are part of it. */
  readonly participants: readonly string[];
}

/** Why a contact may belong to a ticket. */
export interface Evidence<T extends Candidate> {
  /** Named by a token that we signed ourselves: unforgeable, so whoever holds it belongs. */
  readonly signed: T | undefined;
  /** The tickets of the conversation, the sender's own first. A conversation is named by ids that can be guessed or quoted. */
  readonly conversation: readonly T[];
}

export interface Sender {
  readonly customerId: string;
  /** The channel checked who it is, and it is somebody else: not taken for a participant. */
  readonly forged: boolean;
  /** An automatic answer or a bounce. */
  readonly automatic: boolean;
}

/** Where a contact belongs: into a ticket, or without `into` a new one, which may continue an old one or stand beside one. */
export interface Placement<T extends Candidate> {
  readonly into?: T;
  readonly followUpOf?: T;
  readonly relatedTo?: T;
}

/**
 * Which ticket a contact belongs to: 1. the one of the signed token, 2. one of its conversation in which the sender takes part, 3. a new one.
 * A ticket that is over does not come back: the first that is not over is taken, and only when there is none a new one follows up.
 * What machines send is kept with its ticket whatever the ticket's state: an absence notice must not begin a new one.
 */
export function whichTicket<T extends Candidate>(evidence: Evidence<T>, sender: Sender, now: Date, reopenWindowMs: number): Placement<T> {
  const theirs = sender.forged ? [] : evidence.conversation.filter((ticket) => ticket.participants.includes(sender.customerId));
  const candidates = evidence.signed ? [evidence.signed, ...theirs] : theirs;
  const into = candidates.find((ticket) => !isOver(ticket, now, reopenWindowMs)) ?? (sender.automatic ? candidates[0] : undefined);
  if (into) return { into };
  if (candidates[0]) return { followUpOf: candidates[0] };
  return evidence.conversation[0] ? { relatedTo: evidence.conversation[0] } : {};
}

function isOver(ticket: Candidate, now: Date, reopenWindowMs: number): boolean {
  return ticket.status === 'closed' || (ticket.status === 'solved' && now.getTime() - ticket.solvedAt!.getTime() > reopenWindowMs);
}
