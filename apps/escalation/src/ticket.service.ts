import { Injectable } from '@nestjs/common';
import type { SlaMetric, TicketPriority, TicketStatus } from '@tierline/events';
import type { LogTransaction } from '@tierline/log';
import type { CancelReason, Clock } from './clock.ts';
import type { Pause } from './counted-time.ts';
import { PolicyService } from './policy.service.ts';
import type { Ticket } from './ticket-clocks.ts';

interface TicketRow {
  ticket_id: string;
  status: TicketStatus;
  priority: TicketPriority;
  channel: string;
  brand: string | null;
  labels: readonly string[];
  started_at: Date;
  responded_at: Date | null;
  tier: number;
  tier_path: readonly number[];
}

interface ClockRow {
  ticket_id: string;
  metric: SlaMetric;
  clock_id: string;
  policy: string;
  policy_version: number;
  started_at: Date;
  pauses: readonly Pause[];
  stopped_at: Date | null;
  cancelled: CancelReason | null;
  warned: boolean;
  breached_at: Date | null;
  epoch: number;
}

/** Tickets with their clocks, as rows. */
@Injectable()
export class TicketService {
  constructor(private readonly policies: PolicyService) {}

  /** Those that are known, locked until the transaction ends, in one order for everybody. */
  async lock(tx: LogTransaction, ticketIds: Iterable<string>): Promise<Map<string, Ticket>> {
    return this.load(tx, ticketIds, 'FOR UPDATE');
  }

  async read(tx: LogTransaction, ticketId: string): Promise<Ticket | undefined> {
    return (await this.load(tx, [ticketId], '')).get(ticketId);
  }

  private async load(tx: LogTransaction, ticketIds: Iterable<string>, lock: 'FOR UPDATE' | ''): Promise<Map<string, Ticket>> {
    const ids = [...new Set(ticketIds)].sort();
    // LATERAL, or a plan that was prepared while the tables were small would read them whole for ever after.
    const tickets = await tx.query<TicketRow>(
      `SELECT t.* FROM unnest($1::uuid[]) AS wanted(id) CROSS JOIN LATERAL (SELECT * FROM escalation.ticket WHERE ticket_id = wanted.id ${lock}) t`,
      [ids],
    );
    const clocks = await tx.query<ClockRow>(
      `SELECT c.* FROM unnest($1::uuid[]) AS wanted(id) CROSS JOIN LATERAL (SELECT * FROM escalation.clock WHERE ticket_id = wanted.id ORDER BY metric) c`,
      [ids],
    );
    await this.policies.know(
      tx,
      clocks.map((clock) => ({ policy: clock.policy, policyVersion: clock.policy_version })),
    );
    const clocksOf = new Map<string, ClockRow[]>(tickets.map((row) => [row.ticket_id, []]));
    for (const clock of clocks) clocksOf.get(clock.ticket_id)!.push(clock);
    return new Map(
      tickets.map((row) => [
        row.ticket_id,
        {
          ticketId: row.ticket_id,
          status: row.status,
          priority: row.priority,
          channel: row.channel,
          brand: row.brand ?? undefined,
          labels: row.labels,
          startedAt: row.started_at.getTime(),
          respondedAt: row.responded_at?.getTime() ?? null,
          tier: row.tier,
          tierPath: row.tier_path,
          clocks: clocksOf.get(row.ticket_id)!.map((clock) => ({
            clockId: clock.clock_id,
            ticketId: row.ticket_id,
            metric: clock.metric,
            policy: this.policies.version(clock.policy, clock.policy_version),
            startedAt: clock.started_at.getTime(),
            pauses: clock.pauses,
            stoppedAt: clock.stopped_at?.getTime() ?? null,
            cancelled: clock.cancelled,
            warned: clock.warned,
            breachedAt: clock.breached_at?.getTime() ?? null,
            epoch: clock.epoch,
          })),
        },
      ]),
    );
  }

  /** Saves tickets and their clocks, new ones too. The old ones must be locked. */
  async save(tx: LogTransaction, tickets: readonly Ticket[]): Promise<void> {
    if (tickets.length === 0) return;
    await tx.query(SAVE, [JSON.stringify(tickets.map(ticketRow)), JSON.stringify(tickets.flatMap(({ clocks }) => clocks.map(clockRow)))]);
  }
}

/** A row as JSON: its times are text. */
type Json<Row> = { [Column in keyof Row]: Row[Column] extends Date | null ? string | Extract<Row[Column], null> : Row[Column] };

const ticketRow = (ticket: Ticket): Json<TicketRow> => ({
  ticket_id: ticket.ticketId,
  status: ticket.status,
  priority: ticket.priority,
  channel: ticket.channel,
  brand: ticket.brand ?? null,
  labels: ticket.labels,
  started_at: timestamp(ticket.startedAt),
  responded_at: ticket.respondedAt === null ? null : timestamp(ticket.respondedAt),
  tier: ticket.tier,
  tier_path: ticket.tierPath,
});

const clockRow = (clock: Clock): Json<ClockRow> => ({
  ticket_id: clock.ticketId,
  metric: clock.metric,
  clock_id: clock.clockId,
  policy: clock.policy.name,
  policy_version: clock.policy.version,
  started_at: timestamp(clock.startedAt),
  pauses: clock.pauses,
  stopped_at: clock.stoppedAt === null ? null : timestamp(clock.stoppedAt),
  cancelled: clock.cancelled,
  warned: clock.warned,
  breached_at: clock.breachedAt === null ? null : timestamp(clock.breachedAt),
  epoch: clock.epoch,
});

const timestamp = (ms: number): string => new Date(ms).toISOString();

const SAVE = `
WITH saved AS (
  INSERT INTO escalation.ticket SELECT * FROM json_populate_recordset(null::escalation.ticket, $1::json)
  ON CONFLICT (ticket_id) DO UPDATE SET status = excluded.status, priority = excluded.priority, labels = excluded.labels,
    responded_at = excluded.responded_at, tier = excluded.tier, tier_path = excluded.tier_path)
INSERT INTO escalation.clock SELECT * FROM json_populate_recordset(null::escalation.clock, $2::json)
ON CONFLICT (ticket_id, metric) DO UPDATE SET policy = excluded.policy, policy_version = excluded.policy_version, pauses = excluded.pauses,
  stopped_at = excluded.stopped_at, cancelled = excluded.cancelled, warned = excluded.warned, breached_at = excluded.breached_at, epoch = excluded.epoch`;
