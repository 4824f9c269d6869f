import type { TicketStatus } from '@tierline/events';

/** The part of a ticket that moves with its status. */
export interface Standing {
  status: TicketStatus;
  solvedAt: Date | null;
  closedAt: Date | null;
}

/** What a ticket becomes when its customer writes: whoever waited for the customer, or thought the matter done, has work again. */
export function statusAfterReply(status: TicketStatus): TicketStatus {
  return status === 'pending' || status === 'on_hold' || status === 'solved' ? 'open' : status;
}

/** Whether an agent may move a ticket so: `new` is where nobody has looked yet, and `closed` is the end. */
export function mayBecome(from: TicketStatus, to: TicketStatus): boolean {
  return from === to || (from !== 'closed' && to !== 'new');
}

/** Moves a ticket, with the times that go with the status. */
export function move(ticket: Standing, to: TicketStatus, now: Date): void {
  ticket.status = to;
  ticket.solvedAt = to === 'solved' ? now : to === 'closed' ? ticket.solvedAt : null;
  ticket.closedAt = to === 'closed' ? now : null;
}
