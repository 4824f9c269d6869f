import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity({ schema: 'notify', name: 'notice' })
export class Notice {
  @PrimaryColumn({ name: 'notice_id', type: 'uuid' })
  noticeId!: string;

  @Column({ name: 'ticket_id', type: 'uuid' })
  ticketId!: string;

  @Column({ name: 'to_agent_id', type: 'text' })
  toAgentId!: string;

  @Column({ name: 'told_as', type: 'text' })
  as!: 'owner' | 'manager';

  @Column({ type: 'text' })
  about!: 'clock_warned' | 'clock_breached' | 'escalation_raised';

  @Column({ type: 'text' })
  text!: string;

  @Column({ name: 'sent_at', type: 'timestamptz' })
  sentAt!: Date;

  @Column({ name: 'read_at', type: 'timestamptz', nullable: true })
  readAt!: Date | null;
}
