import { Injectable } from '@nestjs/common';
import { OfferAnswered } from '@tierline/events';
import { EventLog } from '@tierline/log';
import { conflict, DomainError, notFound } from '@tierline/service';
import { DataSource } from 'typeorm';
import { MatchingService } from './matching.service.ts';
import { OfferEntity } from './offer.entity.ts';
import type { OfferOutcome } from './pool-rows.service.ts';

/** How long an answer waits for the matcher's decision; later ones show in the offer and on the ticket. */
const DECISION_WAIT_MS = 2_000;
/** A matcher in another process cannot wake us. */
const LOOK_EVERY_MS = 50;

/** What has become of an agent's answer. */
export interface Answered {
  assigned: boolean;
  /** Null while the matcher has not come to it. */
  outcome: OfferOutcome | null;
}

@Injectable()
export class OfferService {
  constructor(
    private readonly log: EventLog,
    private readonly matching: MatchingService,
    private readonly database: DataSource,
  ) {}

  /** Tells the matcher what the agent says, and waits a little for its decision. Throws when the offer is not theirs, or not open any more. */
  async answer(offerId: string, agentId: string, answer: 'accepted' | 'declined', reason?: string): Promise<Answered> {
    const offer = await this.find(offerId);
    if (offer.agentId !== agentId) throw new DomainError(403, 'offer.not_yours', 'the offer was made to another agent');
    if (offer.outcome !== null) throw ended(offer.outcome);
    const decided = this.matching.waitForEnd(offerId, LOOK_EVERY_MS);
    await this.log.transaction('routing', async (tx) => {
      const occurredAt = (await tx.now()).toISOString();
      const { ticketId, pool } = offer;
      tx.append(OfferAnswered, pool, { offerId, ticketId, pool, agentId, answer, ...(reason !== undefined && { reason }), occurredAt });
    });
    await decided;
    const outcome = await this.outcome(offerId);
    if (outcome !== null && outcome !== answer) throw ended(outcome);
    return { assigned: outcome === 'accepted', outcome };
  }

  private async outcome(offerId: string): Promise<OfferOutcome | null> {
    const deadline = performance.now() + DECISION_WAIT_MS;
    for (;;) {
      const { outcome } = await this.find(offerId);
      if (outcome !== null || performance.now() > deadline) return outcome;
      await this.matching.waitForEnd(offerId, LOOK_EVERY_MS);
    }
  }

  private async find(offerId: string): Promise<OfferEntity> {
    const offer = await this.database.manager.findOneBy(OfferEntity, { offerId });
    if (!offer) throw notFound('offer', offerId);
    return offer;
  }
}

const ended = (outcome: OfferOutcome): DomainError => conflict('offer.ended', `the offer is not open any more: ${outcome}`);
