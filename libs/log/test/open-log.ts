import { Logger } from '@nestjs/common';
import type { DataOf } from '@tierline/events';
import { TicketMerged } from '@tierline/events';
import { DataSource } from 'typeorm';
import { EventLog, logTopics, ensureTopics } from '../src/event-log.ts';
import { Leases } from '../src/lease.ts';
import { logMigrations } from '../src/log-schema.ts';

/** A log as one process has it, without Nest. */
export interface OpenLog {
  log: EventLog;
  leases: Leases;
  close(): Promise<void>;
}

/** Opens the log named `source`, and makes it the first time. */
export async function openLog(url: string, source = 'log'): Promise<OpenLog> {
  const dataSource = new DataSource({
    type: 'postgres',
    url,
    migrations: logMigrations(source),
    poolErrorHandler: () => undefined,
    extra: { lock_timeout: 4_000 },
  });
  await dataSource.initialize();
  await dataSource.runMigrations();
  await ensureTopics(dataSource, source, logTopics);
  const leases = new Leases(dataSource, source, new Logger('Leases'));
  return {
    log: new EventLog(dataSource, { source }),
    leases,
    async close() {
      await leases.stop();
      await dataSource.destroy();
    },
  };
}

const TICKET = '0197a3b0-0000-7000-8000-000000000001';

/** The data of an event that carries a number. */
export const numbered = (n: number): DataOf<typeof TicketMerged> => ({
  ticketId: TICKET,
  intoTicketId: TICKET,
  by: { kind: 'system', id: String(n) },
  occurredAt: '2026-01-01T00:00:00.000Z',
});

/** The number that such an event carries. */
export const numberOf = ({ data }: { data: unknown }): number => Number((data as DataOf<typeof TicketMerged>).by.id);
