import { Controller } from '@nestjs/common';
import { AgentChanged, ClockBreached, ClockWarned, EscalationRaised, TicketAssigned, TicketOpened, TicketUnassigned } from '@tierline/events';
import { Consumes, On, type LogTransaction } from '@tierline/log';
import { NotifyService } from './notify.service.ts';

const METRICS = { first_response: 'first response', resolution: 'resolution' } as const;

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
      events.map(({ data }) => ({ ticketId: data.ticketId, agentId: data.agentId })),
    );
  }

  @On(TicketUnassigned)
  async onUnassigned(events: TicketUnassigned[], tx: LogTransaction): Promise<void> {
    await this.notify.assign(
      tx,
      events.map(({ data }) => ({ ticketId: data.ticketId, agentId: null })),
    );
  }

  @On(AgentChanged)
  async onAgentChanged(events: AgentChanged[], tx: LogTransaction): Promise<void> {
    await this.notify.remember(tx, events);
  }

  @On(ClockWarned)
  async onWarned(events: ClockWarned[], tx: LogTransaction): Promise<void> {
    await this.notify.tell(
      tx,
      events.map((event) => ({
        event,
        ticketId: event.data.ticketId,
        about: 'clock_warned',
        saying: `${event.data.percent} % of the time for ${METRICS[event.data.metric]} is gone; it is due at ${event.data.dueAt}`,
      })),
    );
  }

  @On(ClockBreached)
  async onBreached(events: ClockBreached[], tx: LogTransaction): Promise<void> {
    await this.notify.tell(
      tx,
      events.map((event) => ({
        event,
        ticketId: event.data.ticketId,
        about: 'clock_breached',
        saying: `the target for ${METRICS[event.data.metric]} was missed at ${event.data.breachedAt}`,
      })),
    );
  }

  @On(EscalationRaised)
  async onEscalated(events: EscalationRaised[], tx: LogTransaction): Promise<void> {
    await this.notify.tell(
      tx,
      events.map((event) => ({
        event,
        ticketId: event.data.ticketId,
        about: 'escalation_raised',
        saying:
          event.data.kind === 'hierarchical'
            ? `escalated to you: ${event.data.reason.text}`
            : `escalated to tier ${event.data.toTier}: ${event.data.reason.text}`,
        ownerId: event.data.ownerId,
      })),
    );
  }
}
