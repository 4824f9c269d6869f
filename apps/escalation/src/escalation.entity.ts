import type { Actor, EscalationRaised, SlaMetric, TicketPriority } from '@tierline/events';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** An escalation, from its cause to its end. Its owner answers for it; the ticket's assignee is somebody else. */
@Entity({ schema: 'escalation', name: 'escalation' })
export class Escalation {
  /** Made later, sorts later. */
  @PrimaryColumn({ name: 'escalation_id', type: 'uuid' })
  escalationId!: string;
  @Column({ name: 'ticket_id', type: 'uuid' })
  ticketId!: string;
  @Column({ type: 'text' })
  kind!: EscalationRaised['data']['kind'];
  @Column({ name: 'from_tier', type: 'smallint' })
  fromTier!: number;
  @Column({ name: 'to_tier', type: 'smallint' })
  toTier!: number;
  @Column({ name: 'tier_path', type: 'jsonb' })
  tierPath!: number[];
  @Column({ type: 'text', nullable: true })
  team!: string | null;
  @Column({ name: 'owner_id', type: 'text', nullable: true })
  ownerId!: string | null;
  @Column({ name: 'reason_code', type: 'text' })
  reasonCode!: EscalationRaised['data']['reason']['code'];
  @Column({ name: 'reason_text', type: 'text' })
  reasonText!: string;
  /** The clock whose breach raised it, and which of its breaches. */
  @Column({ name: 'clock_id', type: 'uuid', nullable: true })
  clockId!: string | null;
  @Column({ name: 'clock_metric', type: 'text', nullable: true })
  clockMetric!: SlaMetric | null;
  @Column({ name: 'clock_epoch', type: 'int', nullable: true })
  clockEpoch!: number | null;
  @Column({ type: 'text' })
  priority!: TicketPriority;
  @Column({ name: 'raised_by', type: 'jsonb' })
  raisedBy!: Actor;
  @Column({ name: 'raised_at', type: 'timestamptz' })
  raisedAt!: Date;
  /** The Idempotency-Key of the request that raised it. */
  @Column({ name: 'request_key', type: 'text', nullable: true })
  requestKey!: string | null;
  @Column({ type: 'text' })
  state!: 'open' | 'closed';
  @Column({ type: 'text', nullable: true })
  outcome!: 'resolved' | 'cancelled' | null;
  @Column({ name: 'closed_by', type: 'jsonb', nullable: true })
  closedBy!: Actor | null;
  @Column({ name: 'closed_at', type: 'timestamptz', nullable: true })
  closedAt!: Date | null;
}
