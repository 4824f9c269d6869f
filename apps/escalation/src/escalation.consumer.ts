import { Controller } from '@nestjs/common';
import { AgentChanged, ClockDue, TicketAssigned, TicketChanged, TicketMerged, TicketOpened, TicketReplied, TicketUnassigned } from '@tierline/events';
import { Consumes, On, type LogTransaction } from '@tierline/log';
import { ClockService } from './clock.service.ts';
import { StaffService } from './staff.service.ts';
import type { TicketEvent } from './facts-of.ts';

@Controller()
@Consumes('escalation')
export class EscalationConsumer {
  constructor(
    private readonly clocks: ClockService,
    private readonly staff: StaffService,
  ) {}

  @On(TicketOpened)
  async onOpened(events: TicketOpened[], tx: LogTransaction): Promise<void> {
    await this.clocks.start(tx, events);
  }

  @On(TicketReplied, TicketChanged, TicketMerged)
  async onEvent(events: TicketEvent[], tx: LogTransaction): Promise<void> {
    await this.clocks.fold(tx, events);
  }

  @On(ClockDue)
  async onDue(events: ClockDue[], tx: LogTransaction): Promise<void> {
    await this.clocks.look(tx, events);
  }

  @On(TicketAssigned)
  async onAssigned(events: TicketAssigned[], tx: LogTransaction): Promise<void> {
    // In this order: see StaffService.assigned.
    await this.staff.assign(tx, events);
    await this.clocks.fold(tx, events, 'heeds_assignment');
  }

  @On(TicketUnassigned)
  async onUnassigned(events: TicketUnassigned[], tx: LogTransaction): Promise<void> {
    await this.staff.unassign(tx, events);
  }

  @On(AgentChanged)
  async onAgentChanged(events: AgentChanged[], tx: LogTransaction): Promise<void> {
    await this.staff.remember(tx, events);
  }
}
