import type { AgentProfile, Presence, Role } from '@tierline/events';
import { Column, Entity, JoinColumn, OneToOne, PrimaryColumn, type Relation } from 'typeorm';

/** An agent as configured, for reading. */
@Entity({ schema: 'people', name: 'agent' })
export class AgentEntity {
  @PrimaryColumn({ name: 'agent_id', type: 'text' })
  agentId!: string;

  @Column({ type: 'jsonb' })
  profile!: AgentProfile;

  @Column({ type: 'jsonb' })
  roles!: Role[];

  @OneToOne(() => PresenceEntity)
  @JoinColumn({ name: 'agent_id' })
  presence!: Relation<PresenceEntity>;
}

/** Whether an agent is here, and until when that may be believed without another heartbeat. */
@Entity({ schema: 'people', name: 'presence' })
export class PresenceEntity {
  @PrimaryColumn({ name: 'agent_id', type: 'text' })
  agentId!: string;

  @Column({ type: 'text' })
  presence!: Presence;

  @Column({ name: 'lease_until', type: 'timestamptz', nullable: true })
  leaseUntil!: Date | null;
}
