import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { INITIAL_CONFIGURATION } from './configuration.ts';

/** Rather often than at once: a process that is restarted every day sweeps too. */
const SWEEP_EVERY_MS = 3_600_000;
/** Few enough that nobody waits for a row that one statement holds. */
const BATCH = 2_000;

/** Removes offers and done tickets that nobody has touched for as long as the configuration says. Any process may, and several at once. */
@Injectable()
export class RetentionWorker implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('Routing');
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private stopping = false;

  constructor(private readonly database: DataSource) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => {
      this.running = this.sweep().catch((error: unknown) => {
        this.logger.warn(`what ended long ago could not be removed: ${error instanceof Error ? error.message : String(error)}; trying again in an hour`);
      });
    }, SWEEP_EVERY_MS);
  }

  async onModuleDestroy(): Promise<void> {
    this.stopping = true;
    clearInterval(this.timer);
    await this.running;
  }

  async sweep(): Promise<void> {
    for (const statement of [OFFERS, TICKETS]) {
      let removed = BATCH;
      while (removed === BATCH && !this.stopping)
        [, removed] = await this.database.query<[unknown, number]>(statement, [INITIAL_CONFIGURATION.keepEndedMs, BATCH]);
    }
  }
}

const CUTOFF = `now() - (coalesce((SELECT (section->'keepEndedMs')::float8 FROM routing.configuration ORDER BY version DESC LIMIT 1), $1::float8) * interval '1 ms')`;

const OFFERS = `
DELETE FROM routing.offer WHERE offer_id IN (
  SELECT offer_id FROM routing.offer WHERE offered_at < ${CUTOFF} AND ended_at < ${CUTOFF} LIMIT $2 FOR UPDATE SKIP LOCKED)`;

const TICKETS = `
DELETE FROM routing.triaged_ticket WHERE ticket_id IN (
  SELECT ticket_id FROM routing.triaged_ticket WHERE changed_at < ${CUTOFF} AND NOT is_open LIMIT $2 FOR UPDATE SKIP LOCKED)`;
