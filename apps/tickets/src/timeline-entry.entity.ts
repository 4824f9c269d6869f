import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Something that happened to a ticket beside its messages: an event of ours or of another service, as it was told. */
@Entity({ schema: 'tickets', name: 'timeline_entry' })
export class TimelineEntry {
  @PrimaryColumn({ name: 'ticket_id', type: 'uuid' })
  ticketId!: string;
  @PrimaryColumn({ type: 'timestamptz' })
  at!: Date;
  @PrimaryColumn({ type: 'bigint' })
  seq!: string;
  @Column({ type: 'text' })
  type!: string;
  @Column({ type: 'json' })
  data!: object;
}
