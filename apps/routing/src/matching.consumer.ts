import { Controller } from '@nestjs/common';
import { AgentPlaced, OfferAnswered, OfferExpired, PoolConfigured, RingEnded, TicketQueued, TicketWithdrawn } from '@tierline/events';
import { Consumes, On, type LogTransaction } from '@tierline/log';
import type { PoolEvent } from './apply-event.ts';
import { MatchingService } from './matching.service.ts';

/** A group of its own: all events of a pool come to one process, in order. */
@Controller()
@Consumes('routing-matcher')
export class MatchingConsumer {
  constructor(private readonly matching: MatchingService) {}

  @On(TicketQueued, TicketWithdrawn, RingEnded, AgentPlaced, OfferAnswered, OfferExpired)
  async onPoolEvents(events: PoolEvent[], tx: LogTransaction): Promise<void> {
    await this.matching.decide(tx, events);
  }

  @On(PoolConfigured)
  async onConfigured(events: PoolConfigured[], tx: LogTransaction): Promise<void> {
    await this.matching.configure(tx, events);
  }
}
