import type { SlaMetric, TicketPriority, TicketStatus } from '@tierline/events';
import type { FoldedTicket, Point } from './fold-ticket.ts';

/** A ticket as its clocks and its escalations see it. */
export interface Ticket {
  readonly ticketId: string;
  readonly status: TicketStatus;
  readonly priority: TicketPriority;
  readonly tier: number;
  /** Every tier it has been on, `tier` last. */
  readonly tierPath: readonly number[];
  readonly clocks: FoldedTicket;
  /** The point that its timer waits for. */
  readonly armed: Armed | null;
  /** Grows with every timer that is armed and every breach, so that each has a number of its own. */
  readonly epoch: number;
  /** How many of its facts are kept elsewhere. */
  readonly pastFacts: number;
}

/** A point of one of the ticket's clocks. */
export interface Armed extends Point {
  readonly metric: SlaMetric;
  readonly cycle: number;
  /** Fences timers that were armed before. */
  readonly epoch: number;
}
