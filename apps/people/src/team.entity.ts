import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A team as configured, for reading. */
@Entity({ schema: 'people', name: 'team' })
export class TeamEntity {
  @PrimaryColumn({ type: 'text' })
  name!: string;

  @Column({ type: 'text' })
  pool!: string;

  @Column({ type: 'text', nullable: true })
  lead!: string | null;
}
