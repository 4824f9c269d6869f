import { randomUUID } from 'node:crypto';
import type { Logger } from '@nestjs/common';
import type { DataSource, QueryRunner } from 'typeorm';

/** A lease outlives a frozen owner by this much; a dead owner's leases are free at once, because its connection is gone. */
const LEASE_MS = 6_000;
const RENEW_MS = 2_000;

/**
 * Who does a piece of work that one process at a time should do. A lease saves double work; it never decides correctness
 * (positions and row locks do that), so a late loser does no harm.
 *
 * Each process keeps one connection open for its leases and writes the backend's pid beside them: PostgreSQL itself then knows when the
 * owner has died, and after a kill -9 the next owner need not wait for the lease to run out.
 */
export class Leases {
  private readonly owner = randomUUID();
  /** Until when each lease may be relied on, by this process's monotonic clock. */
  private readonly held = new Map<string, number>();
  private runner: QueryRunner | undefined;
  /** The last query: a connection runs one at a time. */
  private busy: Promise<unknown> = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(
    private readonly dataSource: DataSource,
    private readonly schema: string,
    private readonly logger: Logger,
  ) {}

  /** Whether this process may assume that the work is its own. */
  holds(name: string): boolean {
    return performance.now() < (this.held.get(name) ?? 0);
  }

  /** Takes the lease if it is free, has run out, or its owner's connection is gone. False when somebody else has it, or the database cannot be asked. */
  async acquire(name: string): Promise<boolean> {
    if (this.stopped) return false;
    try {
      const askedAt = performance.now();
      const rows = await this.query<{ name: string }>(
        `INSERT INTO "${this.schema}".lease AS l (name, owner, until, backend_pid, backend_start)
         SELECT $1, $2, now() + $3 * interval '1 ms', pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()
         ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until, backend_pid = excluded.backend_pid, backend_start = excluded.backend_start
         WHERE l.owner = excluded.owner OR l.until < now()
            OR NOT EXISTS (SELECT 1 FROM pg_stat_activity a WHERE a.pid = l.backend_pid AND a.backend_start = l.backend_start)
         RETURNING name`,
        [name, this.owner, LEASE_MS],
      );
      if (rows.length === 0) return false;
      this.held.set(name, askedAt + LEASE_MS);
      this.timer ??= setInterval(() => void this.renew(), RENEW_MS).unref();
      return true;
    } catch (error) {
      this.drop(error);
      return false;
    }
  }

  async release(name: string): Promise<void> {
    if (!this.held.delete(name)) return;
    try {
      await this.query(`DELETE FROM "${this.schema}".lease WHERE name = $1 AND owner = $2`, [name, this.owner]);
    } catch (error) {
      this.drop(error);
    }
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearInterval(this.timer);
    for (const name of [...this.held.keys()]) await this.release(name);
    await this.runner?.release();
    this.runner = undefined;
  }

  private async renew(): Promise<void> {
    const names = [...this.held.keys()];
    if (names.length === 0) return;
    try {
      const askedAt = performance.now();
      const rows = await this.query<{ name: string }>(
        `UPDATE "${this.schema}".lease SET until = now() + $3 * interval '1 ms' WHERE name = ANY($1) AND owner = $2 RETURNING name`,
        [names, this.owner, LEASE_MS],
      );
      const renewed = new Set(rows.map((row) => row.name));
      // One that was released meanwhile stays released.
      for (const name of names) if (!renewed.has(name)) this.held.delete(name);
      for (const name of renewed) if (this.held.has(name)) this.held.set(name, askedAt + LEASE_MS);
    } catch (error) {
      this.drop(error);
    }
  }

  private query<Row extends object>(sql: string, parameters: unknown[]): Promise<Row[]> {
    const run = async (): Promise<Row[]> => {
      this.runner ??= this.dataSource.createQueryRunner();
      const { records } = await this.runner.query(sql, parameters, true);
      return records as Row[];
    };
    const result = this.busy.then(run);
    this.busy = result.catch(() => undefined);
    return result;
  }

  /** The connection that proves we are alive is gone, and the leases with it. */
  private drop(error: unknown): void {
    if (!this.stopped) this.logger.warn(`leases dropped: ${error instanceof Error ? error.message : String(error)}`);
    this.held.clear();
    const runner = this.runner;
    this.runner = undefined;
    void runner?.release().catch(() => undefined);
  }
}
