import type { TicketAssigned, TicketChanged, TicketMerged, TicketOpened, TicketReplied } from '@tierline/events';
import type { Book } from './book.ts';
import type { Fact, TicketClocks } from './ticket-clocks.ts';

/** What moves the clocks of a ticket that is known. */
export type TicketEvent = TicketReplied | TicketChanged | TicketMerged | TicketAssigned;

/** Where an agent who takes the ticket is speaking to the customer. */
const LIVE_CHANNELS: readonly string[] = ['voice', 'chat'];

const isLive = ({ channel }: { channel: string }): boolean => LIVE_CHANNELS.includes(channel);

/** How the clocks see a new ticket. One that was split from another begins with the split. */
export function openingOf({ data }: Pick<TicketOpened, 'data'>, under: number): Fact & { what: 'opened' } {
  const { status, priority, channel, brand, labels, openedBy, splitFrom } = data;
  const openedAt = Date.parse(data.openedAt);
  // A sender's clock may be ahead; nobody waits before the ticket is there.
  const at = splitFrom === undefined ? Math.min(Date.parse(data.occurredAt), openedAt) : openedAt;
  return { what: 'opened', at, under, status, byAgent: openedBy?.kind === 'agent', priority, channel, brand, labels };
}

/** What an event is seen against: the ticket as known so far, the configuration in force, and since when the customer of another ticket has been waiting. */
export interface Seen {
  readonly head: Pick<TicketClocks, 'channel' | 'status' | 'statusAt'>;
  readonly under: number;
  readonly waitingSince: (ticketId: string) => number | null;
}

/** What an event means to the clocks of the ticket that is its key. */
export function factsOf(event: TicketEvent, { head, under, waitingSince }: Seen): Fact[] {
  // Nothing is told before it happened: the sender's clock is ahead.
  const at = (occurredAt: string): number => Math.min(Date.parse(occurredAt), Date.parse(event.time));
  switch (event.type) {
    case 'ticket.replied': {
      const { by, automatic, occurredAt } = event.data;
      if (automatic || !event.data.public) return [];
      if (by.kind === 'customer') return [{ what: 'wrote', at: at(occurredAt) }];
      if (by.kind !== 'agent') return [];
      return [
        { what: 'responded', at: at(occurredAt) },
        { what: 'replied', at: at(occurredAt) },
      ];
    }
    case 'ticket.changed': {
      const { status, priority, labels, occurredAt } = event.data;
      // It leads on from the state that we know, so it came after it, whatever two clocks say.
      const follows = status?.from === head.status && status.to !== head.status;
      const changes = { ...(status && { status: status.to }), ...(priority && { priority: priority.to }), ...(labels && { labels: labels.to }) };
      return [{ what: 'changed', at: Math.max(at(occurredAt), follows ? head.statusAt : 0), under, ...changes }];
    }
    case 'ticket.merged': {
      const { ticketId, occurredAt } = event.data;
      if (ticketId === event.key) return [{ what: 'merged', at: at(occurredAt) }];
      const unansweredAt = waitingSince(ticketId);
      return unansweredAt === null ? [] : [{ what: 'joined', at: at(occurredAt), unansweredAt }];
    }
    case 'ticket.assigned':
      return assignedFacts(head, event.data.team, at(event.data.assignedAt));
  }
}

/** Taking a ticket of a live channel is answering it. */
export function assignedFacts(ticket: Pick<TicketClocks, 'channel'>, team: string, at: number): Fact[] {
  const assigned: Fact = { what: 'assigned', at, team };
  return isLive(ticket) ? [assigned, { what: 'responded', at }] : [assigned];
}

/** Whether it matters to the clocks of a ticket who has it. */
export function heedsAssignment({ channel, respondedAt, policy }: TicketClocks, book: Book): boolean {
  if (isLive({ channel }) && respondedAt === null) return true;
  return policy !== null && Object.keys(book.policy(policy).teamCalendars).length > 0;
}
