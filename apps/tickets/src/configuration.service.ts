import { Injectable } from '@nestjs/common';
import { EventLog, type LogTransaction } from '@tierline/log';
import { ticketsConfiguration, type TicketsConfiguration } from './configuration.ts';

const DEFAULTS = ticketsConfiguration.parse({});

/** The configuration in force: a row, so that every process goes by the same one. */
@Injectable()
export class ConfigurationService {
  constructor(private readonly log: EventLog) {}

  async current(tx: LogTransaction): Promise<TicketsConfiguration> {
    const [row] = await tx.query<{ reopen: string; close: string }>('SELECT reopen_window_ms AS reopen, close_after_ms AS close FROM tickets.configuration');
    return row ? { reopenWindow: Number(row.reopen), closeAfter: Number(row.close) } : DEFAULTS;
  }

  /** Puts a configuration in force. Returns how many of its values are new. */
  async apply(wanted: TicketsConfiguration): Promise<number> {
    return this.log.transaction('tickets', async (tx) => {
      const before = await this.current(tx);
      await tx.query(
        `INSERT INTO tickets.configuration (reopen_window_ms, close_after_ms) VALUES ($1, $2)
         ON CONFLICT (is_only) DO UPDATE SET reopen_window_ms = excluded.reopen_window_ms, close_after_ms = excluded.close_after_ms`,
        [wanted.reopenWindow, wanted.closeAfter],
      );
      return (['reopenWindow', 'closeAfter'] as const).filter((name) => before[name] !== wanted[name]).length;
    });
  }
}
