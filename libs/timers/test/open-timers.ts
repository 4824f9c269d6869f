import { Logger } from '@nestjs/common';
import { topics } from '@tierline/events';
import { ensureTopics, EventLog, Leases, logMigrations } from '@tierline/log';
import type { Pool } from 'pg';
import { DataSource } from 'typeorm';
import { timerMigrations, Timers } from '../src/index.ts';

const SOURCE = 'log';

export interface OpenTimers {
  dataSource: DataSource;
  log: EventLog;
  timers: Timers;
  close(): Promise<void>;
}

/** A log and its timers, without Nest. `leases` that always say yes make a worker that believes it is alone. */
export async function openTimers(url: string, leases?: Leases): Promise<OpenTimers> {
  const dataSource = new DataSource({
    type: 'postgres',
    url,
    migrations: [...logMigrations(SOURCE), ...timerMigrations(SOURCE)],
    poolErrorHandler: () => undefined,
  });
  await dataSource.initialize();
  // A connection that is cut in the very moment in which the pool hands it out has nobody else to tell.
  (dataSource.driver as unknown as { master: Pool }).master.on('connect', (client) => client.on('error', () => undefined));
  await dataSource.runMigrations();
  await ensureTopics(dataSource, SOURCE, topics);
  const logger = new Logger('Test');
  const log = new EventLog(dataSource, { source: SOURCE, checkEvents: true });
  const own = leases ?? new Leases(dataSource, SOURCE, logger);
  const timers = new Timers(log, own, logger);
  return {
    dataSource,
    log,
    timers,
    async close() {
      await timers.stop();
      if (!leases) await own.stop();
      await dataSource.destroy();
    },
  };
}
