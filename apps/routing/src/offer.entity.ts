import type { DecisionRecord } from '@tierline/events';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { OfferOutcome } from './pool-rows.service.ts';

/** An offer and what became of it, for reading. */
@Entity({ schema: 'routing', name: 'offer' })
export class OfferEntity {
  @PrimaryColumn({ name: 'offer_id', type: 'uuid' })
  offerId!: string;

  @Column({ name: 'ticket_id', type: 'uuid' })
  ticketId!: string;

  @Column({ name: 'agent_id', type: 'text' })
  agentId!: string;

  @Column({ type: 'text' })
  pool!: string;

  @Column({ type: 'text' })
  queue!: string;

  @Column({ type: 'int' })
  tier!: number;

  @Column({ name: 'waited_ms', type: 'bigint', transformer: { from: Number, to: Number } })
  waitedMs!: number;

  @Column({ name: 'offered_at', type: 'timestamptz' })
  offeredAt!: Date;

  @Column({ name: 'expires_at', type: 'timestamptz' })
  expiresAt!: Date;

  @Column({ type: 'jsonb' })
  decision!: DecisionRecord;

  /** Null while the offer is open. */
  @Column({ type: 'text', nullable: true })
  outcome!: OfferOutcome | null;

  @Column({ name: 'ended_at', type: 'timestamptz', nullable: true })
  endedAt!: Date | null;
}
