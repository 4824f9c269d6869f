import { Injectable } from '@nestjs/common';
import { EventLog, type LogTransaction } from '@tierline/log';
import { Book } from './book.ts';
import type { EscalationConfiguration } from './configuration.ts';
import { nextConfiguration, type InForce } from './next-configuration.ts';

/** The configuration in force, and every one that ever was. */
@Injectable()
export class PolicyService {
  readonly book = new Book();
  /** The configuration that was in force when it was last asked for. */
  latest: InForce = { version: 0, policies: [], calendars: [], tiers: [] };

  constructor(private readonly log: EventLog) {
    this.book.add(this.latest);
  }

  /** The configuration in force. From here on the book knows every version that a ticket can have been saved under. */
  async inForce(tx: LogTransaction): Promise<InForce> {
    // Versions never change, so what was read once holds for good.
    const rows = await tx.query<InForce>('SELECT version, policies, calendars, tiers FROM escalation.configuration WHERE version > $1 ORDER BY version', [
      this.latest.version,
    ]);
    for (const row of rows) {
      this.book.add(row);
      if (row.version > this.latest.version) this.latest = row;
    }
    return this.latest;
  }

  /** Puts a configuration in force. Returns how many policies, calendars and lists of tiers are new, changed, moved or gone. */
  async apply(wanted: EscalationConfiguration): Promise<number> {
    return this.log.transaction('escalation', async (tx) => {
      // One after the other; who only reads goes on.
      await tx.query('LOCK TABLE escalation.configuration IN SHARE ROW EXCLUSIVE MODE');
      const { next, changed } = nextConfiguration(wanted, await this.inForce(tx), this.book.latest());
      if (changed === 0) return 0;
      await tx.query('INSERT INTO escalation.configuration (version, policies, calendars, tiers) VALUES ($1, $2::jsonb, $3::jsonb, $4::jsonb)', [
        next.version,
        JSON.stringify(next.policies),
        JSON.stringify(next.calendars),
        JSON.stringify(next.tiers),
      ]);
      return changed;
    });
  }
}
