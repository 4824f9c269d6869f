import { Module } from '@nestjs/common';
import type { ServiceDefinition } from '@tierline/service';
import { AnsweredRequestService } from './answered-request.service.ts';
import { ChangesService } from './changes.service.ts';
import { ConfigurationController } from './configuration.controller.ts';
import { ConfigurationService } from './configuration.service.ts';
import { ContactConsumer } from './contact.consumer.ts';
import { Customer, Identity } from './customer.entity.ts';
import { Message } from './message.entity.ts';
import { CreateTickets } from './migrations/create-tickets.ts';
import { ProgressConsumer } from './progress.consumer.ts';
import { ProgressService } from './progress.service.ts';
import { ThreadingService } from './threading.service.ts';
import { Ticket } from './ticket.entity.ts';
import { TicketsController } from './tickets.controller.ts';
import { TicketsService } from './tickets.service.ts';
import { TimelineEntry } from './timeline-entry.entity.ts';
import { TimelineService } from './timeline.service.ts';

export { ticketsConfiguration } from './configuration.ts';

@Module({
  controllers: [ContactConsumer, ProgressConsumer, TicketsController, ConfigurationController],
  providers: [AnsweredRequestService, ChangesService, ConfigurationService, ProgressService, ThreadingService, TicketsService, TimelineService],
})
export class TicketsModule {}

export const ticketsService: ServiceDefinition = {
  name: 'tickets',
  module: TicketsModule,
  entities: [Customer, Identity, Message, Ticket, TimelineEntry],
  migrations: [CreateTickets],
};
