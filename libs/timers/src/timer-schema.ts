import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The timers of one log live beside it: arming one is part of the writer's transaction. */
export function timerMigrations(schema: string): (new () => MigrationInterface)[] {
  class CreateTimer implements MigrationInterface {
    readonly name = `CreateTimer_${schema}_1763769600001`;
    async up(runner: QueryRunner): Promise<void> {
      await runner.query(
        // Fired rows leave dead entries at the head of the due index, where every look begins: vacuum long before the default fifth of the table.
        `CREATE TABLE "${schema}".timer (name text PRIMARY KEY, due_at timestamptz NOT NULL, type text NOT NULL, version int NOT NULL, key text NOT NULL, data text NOT NULL, caused_by uuid)
         WITH (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000)`,
      );
      await runner.query(`CREATE INDEX timer_due ON "${schema}".timer (due_at, name)`);
    }
    async down(runner: QueryRunner): Promise<void> {
      await runner.query(`DROP TABLE "${schema}".timer`);
    }
  }
  return [CreateTimer];
}
