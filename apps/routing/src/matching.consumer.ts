import { Controller } from '@nestjs/common';
import { AgentPlaced, OfferAnswered, OfferExpired, TicketQueued, TicketWithdrawn } from '@tierline/events';
import { Consumes, On, type LogTransaction } from '@tierline/log';
import type { PoolEvent } from './matcher.ts';
import { MatchingService } from './matching.service.ts';

/** A group of its own: all events of a pool come to one process, in order. */
@Controller()
@Consumes('routing-matcher')
export class MatchingConsumer {
  constructor(private readonly matching: MatchingService) {}

  @On(TicketQueued, TicketWithdrawn, AgentPlaced, OfferAnswered, OfferExpired)
  async onPoolEvents(events: PoolEvent[], tx: LogTransaction): Promise<void> {
    await this.matching.decide(tx, events);
  }
}
