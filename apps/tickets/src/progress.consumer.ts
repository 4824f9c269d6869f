import { Controller } from '@nestjs/common';
import {
  ClockBreached,
  ClockBreachRevoked,
  ClockCancelled,
  ClockPaused,
  ClockResumed,
  ClockStarted,
  ClockStopped,
  ClockWarned,
  EscalationClosed,
  EscalationRaised,
  MessageFailed,
  MessageRequested,
  MessageSent,
  NoticeSent,
  TicketAssigned,
  TicketCloseDue,
  TicketOffered,
  TicketRequeued,
  TicketUnassigned,
  type Event,
} from '@tierline/events';
import { Consumes, On, type LogTransaction } from '@tierline/log';
import { ProgressService } from './progress.service.ts';
import { TicketsService } from './tickets.service.ts';
import { TimelineService } from './timeline.service.ts';

/** What the rest of the line does with a ticket. A group of its own, so that no contact waits for it. */
@Controller()
@Consumes('tickets-progress')
export class ProgressConsumer {
  constructor(
    private readonly progress: ProgressService,
    private readonly tickets: TicketsService,
    private readonly timeline: TimelineService,
  ) {}

  @On(TicketAssigned)
  async onAssigned(events: TicketAssigned[], tx: LogTransaction): Promise<void> {
    this.record(tx, events);
    await this.progress.assign(events, tx);
  }

  @On(TicketUnassigned, TicketRequeued)
  async onUnassigned(events: (TicketUnassigned | TicketRequeued)[], tx: LogTransaction): Promise<void> {
    this.record(tx, events);
    await this.progress.unassign(events, tx);
  }

  @On(EscalationRaised)
  async onEscalated(events: EscalationRaised[], tx: LogTransaction): Promise<void> {
    this.record(tx, events);
    await this.progress.escalate(events, tx);
  }

  @On(MessageSent, MessageFailed)
  async onDelivered(events: (MessageSent | MessageFailed)[], tx: LogTransaction): Promise<void> {
    this.record(tx, events);
    await this.progress.deliver(events, tx);
  }

  /** Replies are in the timeline as messages. */
  @On(MessageRequested)
  async onRequested(events: MessageRequested[], tx: LogTransaction): Promise<void> {
    this.record(
      tx,
      events.filter(({ data }) => data.kind !== 'reply'),
    );
  }

  @On(TicketCloseDue)
  async onCloseDue(events: TicketCloseDue[], tx: LogTransaction): Promise<void> {
    await this.tickets.close(events, tx);
  }

  @On(
    TicketOffered,
    ClockStarted,
    ClockWarned,
    ClockBreached,
    ClockBreachRevoked,
    ClockPaused,
    ClockResumed,
    ClockStopped,
    ClockCancelled,
    EscalationClosed,
    NoticeSent,
  )
  async onHappened(events: Event<string, { ticketId: string }>[], tx: LogTransaction): Promise<void> {
    this.record(tx, events);
  }

  private record(tx: LogTransaction, events: readonly Event<string, { ticketId: string }>[]): void {
    for (const event of events) this.timeline.recordEvent(tx, event);
  }
}
