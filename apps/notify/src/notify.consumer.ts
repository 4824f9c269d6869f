import { Controller } from '@nestjs/common';
import { AgentChanged, ClockBreached, ClockWarned, EscalationClosed, EscalationRaised, TicketAssigned, TicketOpened, TicketUnassigned } from '@tierline/events';
import { Consumes, On, type LogTransaction } from '@tierline/log';
import { NotifyService } from './notify.service.ts';
import type { Occasion } from './what-to-say.ts';

@Controller()
@Consumes('notify')
export class NotifyConsumer {
  constructor(private readonly notify: NotifyService) {}

  @On(TicketOpened)
  async onOpened(events: TicketOpened[], tx: LogTransaction): Promise<void> {
    await this.notify.acknowledge(tx, events);
  }

  @On(TicketAssigned)
  async onAssigned(events: TicketAssigned[], tx: LogTransaction): Promise<void> {
    await this.notify.assign(
      tx,
      events.map(({ data }) => [data.ticketId, data.agentId]),
    );
  }

  @On(TicketUnassigned)
  async onUnassigned(events: TicketUnassigned[], tx: LogTransaction): Promise<void> {
    await this.notify.assign(
      tx,
      events.map(({ data }) => [data.ticketId, null]),
    );
  }

  @On(EscalationRaised)
  async onEscalated(events: EscalationRaised[], tx: LogTransaction): Promise<void> {
    await this.notify.beginEscalations(tx, events);
    await this.notify.tell(tx, events);
  }

  @On(EscalationClosed)
  async onEscalationClosed(events: EscalationClosed[], tx: LogTransaction): Promise<void> {
    await this.notify.endEscalations(tx, events);
  }

  @On(ClockWarned, ClockBreached)
  async onLate(events: Occasion[], tx: LogTransaction): Promise<void> {
    await this.notify.tell(tx, events);
  }

  @On(AgentChanged)
  async onAgentChanged(events: AgentChanged[], tx: LogTransaction): Promise<void> {
    await this.notify.remember(tx, events);
  }
}
