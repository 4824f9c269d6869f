import { Injectable } from '@nestjs/common';
import { TicketChanged, TicketCloseDue, type Actor, type DataOf, type Event } from '@tierline/events';
import type { LogTransaction } from '@tierline/log';
import { Timers } from '@tierline/timers';
import { ConfigurationService } from './configuration.service.ts';
import { TimelineService } from './timeline.service.ts';
import type { Ticket } from './ticket.entity.ts';

/** The fields of a ticket that changed, from what to what. */
export type Changes = Pick<DataOf<typeof TicketChanged>, 'status' | 'priority' | 'labels'>;

/** The timer that closes a solved ticket. */
export const closeTimer = (ticketId: string): string => `ticket:${ticketId}:close`;

/** What follows when fields of a ticket change: the event, the entry in the timeline, and the timer that closes a solved ticket. */
@Injectable()
export class ChangesService {
  constructor(
    private readonly configuration: ConfigurationService,
    private readonly timeline: TimelineService,
    private readonly timers: Timers,
  ) {}

  /** The ticket has changed already, and is saved by whoever changed it. */
  async announce(tx: LogTransaction, ticket: Ticket, changes: Changes, by: Actor, causedBy?: Event): Promise<void> {
    const at = await tx.now();
    tx.append(TicketChanged, ticket.id, { ticketId: ticket.id, ...changes, by, occurredAt: at.toISOString() }, causedBy);
    this.timeline.record(tx, { ticketId: ticket.id, at, type: TicketChanged.type, data: { ...changes, by } });
    if (changes.status?.to === 'solved') {
      const { closeAfter } = await this.configuration.current(tx);
      this.timers.arm(tx, {
        name: closeTimer(ticket.id),
        dueAt: new Date(at.getTime() + closeAfter),
        definition: TicketCloseDue,
        key: ticket.id,
        data: { ticketId: ticket.id, solvedAt: ticket.solvedAt!.toISOString() },
        causedBy,
      });
    } else if (changes.status?.from === 'solved') {
      this.timers.cancel(tx, closeTimer(ticket.id));
    }
  }
}
