import { Controller } from '@nestjs/common';
import { AgentChanged, ClockWarned, EscalationRaised, PresenceChanged, TicketChanged, TicketMerged, TicketOpened } from '@tierline/events';
import { Consumes, On, type LogTransaction } from '@tierline/log';
import { TriageService } from './triage.service.ts';

@Controller()
@Consumes('routing')
export class TriageConsumer {
  constructor(private readonly triage: TriageService) {}

  @On(TicketOpened)
  async onOpened(events: TicketOpened[], tx: LogTransaction): Promise<void> {
    await this.triage.enqueue(tx, events);
  }

  @On(TicketChanged)
  async onChanged(events: TicketChanged[], tx: LogTransaction): Promise<void> {
    await this.triage.follow(tx, events);
  }

  @On(TicketMerged)
  async onMerged(events: TicketMerged[], tx: LogTransaction): Promise<void> {
    await this.triage.withdrawMerged(
      tx,
      // The event stands under both keys.
      events.filter(({ key, data }) => key === data.ticketId),
    );
  }

  @On(ClockWarned)
  async onWarned(events: ClockWarned[], tx: LogTransaction): Promise<void> {
    await this.triage.advance(tx, events);
  }

  @On(EscalationRaised)
  async onEscalated(events: EscalationRaised[], tx: LogTransaction): Promise<void> {
    await this.triage.escalate(tx, events);
  }

  @On(AgentChanged)
  async onAgentChanged(events: AgentChanged[], tx: LogTransaction): Promise<void> {
    await this.triage.placeAgents(tx, events);
  }

  @On(PresenceChanged)
  async onPresenceChanged(events: PresenceChanged[], tx: LogTransaction): Promise<void> {
    await this.triage.placeAgents(tx, events);
  }
}
