import type { MigrationInterface, QueryRunner } from 'typeorm';

/** This process's copy of the tokens that people issued, kept in its own log schema: a guard asks no other service. */
export function accessMigrations(schema: string): (new () => MigrationInterface)[] {
  class CreateAccess implements MigrationInterface {
    readonly name = `CreateAccess_${schema}_1763769600002`;
    async up(runner: QueryRunner): Promise<void> {
      await runner.query(
        `CREATE TABLE "${schema}".access_token (token_id uuid PRIMARY KEY, sha256 text NOT NULL UNIQUE, subject text NOT NULL, roles text[] NOT NULL, expires_at timestamptz, revoked_at timestamptz)`,
      );
    }
    async down(runner: QueryRunner): Promise<void> {
      await runner.query(`DROP TABLE "${schema}".access_token`);
    }
  }
  return [CreateAccess];
}
