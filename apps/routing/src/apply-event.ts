import { derivedId, type AgentPlaced, type OfferAnswered, type OfferExpired, type RingEnded, type TicketQueued, type TicketWithdrawn } from '@tierline/events';
import type { Matcher } from './matcher.ts';
import type { Decision } from './pool-state.ts';

/** What happens to a pool. That it is configured makes a new matcher of it, so that is not for one. */
export type PoolEvent = TicketQueued | TicketWithdrawn | RingEnded | AgentPlaced | OfferAnswered | OfferExpired;

/** Tells the matcher of a pool what has happened, and returns what it decides. The same event names the same offers. */
export function applyEvent(matcher: Matcher, pool: string, event: PoolEvent, nowMs: number): Decision[] {
  let offers = 0;
  matcher.nextOfferId = () => derivedId(event.id, 'offer', offers++);
  switch (event.type) {
    case 'ticket.queued': {
      const { ticketId, enqueuedAt, reason, priority, boostMs } = event.data;
      if (reason === 'reprioritized') return matcher.reprioritize(ticketId, priority, boostMs ?? 0, nowMs);
      return matcher.enqueue(ticketId, matcher.terms(event.data), Date.parse(enqueuedAt), nowMs, boostMs);
    }
    case 'ticket.withdrawn':
      return matcher.withdraw(event.data.ticketId, event.data.reason, nowMs);
    case 'ring.ended':
      return matcher.endRing(event.data.ticketId, event.data.ring, Date.parse(event.data.openedAt), nowMs);
    case 'agent.placed': {
      const { profile, presence } = event.data;
      return matcher.place(profile, presence, profile.active && profile.pool === pool, nowMs);
    }
    case 'offer.answered':
      return matcher.answer(event.data.ticketId, event.data.offerId, event.data.answer, nowMs);
    case 'offer.expired':
      return matcher.expire(event.data.ticketId, event.data.offerId, nowMs);
  }
}
