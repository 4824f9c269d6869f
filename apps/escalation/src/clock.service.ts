import { Injectable } from '@nestjs/common';
import { ClockBreached, ClockDue, type Event, type TicketOpened } from '@tierline/events';
import type { LogTransaction } from '@tierline/log';
import { Timers } from '@tierline/timers';
import type { ClockEffect } from './clock.ts';
import { EscalationService, type Occasion } from './escalation.service.ts';
import { PolicyService } from './policy.service.ts';
import { foldTicket, isDone, nextTimer, openTicket, type Ticket, type TicketEvent } from './ticket-clocks.ts';
import { TicketService } from './ticket.service.ts';

const timerOf = (ticketId: string): string => `clocks:${ticketId}`;

/** Keeps the clocks: what the fold says is saved, told, and timed. */
@Injectable()
export class ClockService {
  constructor(
    private readonly policies: PolicyService,
    private readonly tickets: TicketService,
    private readonly escalations: EscalationService,
    private readonly timers: Timers,
  ) {}

  async start(tx: LogTransaction, events: readonly TicketOpened[]): Promise<void> {
    const { policies } = await this.policies.inForce(tx);
    const tickets = events.map((event) => {
      const { ticket, effects } = openTicket(event, policies);
      this.tell(tx, ticket, effects, event);
      this.time(tx, ticket, undefined, event);
      return ticket;
    });
    await this.tickets.save(tx, tickets);
  }

  /** Folds events into the tickets they belong to. Tickets that were never opened here are none of ours. */
  async fold(tx: LogTransaction, events: readonly TicketEvent[]): Promise<void> {
    const before = await this.tickets.lock(
      tx,
      events.map(({ key }) => key),
    );
    const { policies } = await this.policies.inForce(tx);
    const after = new Map<string, Ticket>();
    const last = new Map<string, TicketEvent>();
    const occasions: Occasion[] = [];
    for (const event of events) {
      const known = after.get(event.key) ?? before.get(event.key);
      if (!known) continue;
      const { ticket, effects } = foldTicket(known, event, policies);
      this.tell(tx, ticket, effects, event);
      after.set(event.key, ticket);
      last.set(event.key, event);
      for (const { definition, data } of effects) {
        if (definition === ClockBreached) occasions.push({ what: 'breached', ticket, breach: data as ClockBreached['data'], event });
      }
      if (isDone(ticket) && !isDone(known)) occasions.push({ what: 'done', ticket, event });
    }
    for (const moved of await this.escalations.react(tx, occasions)) {
      after.set(moved.ticketId, { ...after.get(moved.ticketId)!, tier: moved.tier, tierPath: moved.tierPath });
    }
    for (const [ticketId, ticket] of after) this.time(tx, ticket, before.get(ticketId), last.get(ticketId)!);
    const changed = [...after.values()].filter((ticket) => ticket !== before.get(ticket.ticketId));
    await this.tickets.save(tx, changed);
  }

  private tell(tx: LogTransaction, ticket: Ticket, effects: readonly ClockEffect[], causedBy: Event): void {
    for (const { definition, data } of effects) tx.append(definition, ticket.ticketId, data, causedBy);
  }

  /** Arms the next point of the ticket's clocks, unless it is armed already. */
  private time(tx: LogTransaction, ticket: Ticket, before: Ticket | undefined, causedBy: Event): void {
    const armed = before && nextTimer(before);
    const next = nextTimer(ticket);
    if (!next) {
      if (armed) this.timers.cancel(tx, timerOf(ticket.ticketId));
      return;
    }
    const { clock, point, at } = next;
    // A timer that has fired is not armed any more, whether it had anything to tell or not.
    const isArmed = armed?.clock.clockId === clock.clockId && armed.clock.epoch === clock.epoch && armed.point === point && causedBy.type !== ClockDue.type;
    if (isArmed) return;
    this.timers.arm(tx, {
      name: timerOf(ticket.ticketId),
      dueAt: new Date(at),
      definition: ClockDue,
      key: ticket.ticketId,
      data: { clockId: clock.clockId, ticketId: ticket.ticketId, metric: clock.metric, point, epoch: clock.epoch },
      causedBy,
    });
  }
}
