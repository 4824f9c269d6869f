import { Module } from '@nestjs/common';
import type { ServiceDefinition } from '@tierline/service';
import { ClockService } from './clock.service.ts';
import { EscalationConsumer } from './escalation.consumer.ts';
import { EscalationController } from './escalation.controller.ts';
import { Escalation } from './escalation.entity.ts';
import { EscalationService } from './escalation.service.ts';
import { CreateEscalation } from './migrations/create-escalation.ts';
import { PolicyService } from './policy.service.ts';
import { StaffService } from './staff.service.ts';
import { TicketService } from './ticket.service.ts';

export { escalationConfiguration } from './configuration.ts';

@Module({
  controllers: [EscalationConsumer, EscalationController],
  providers: [ClockService, EscalationService, PolicyService, StaffService, TicketService],
})
export class EscalationModule {}

/** SLA clocks, and what a ticket is escalated to when they run out. */
export const escalationService: ServiceDefinition = { name: 'escalation', module: EscalationModule, entities: [Escalation], migrations: [CreateEscalation] };
