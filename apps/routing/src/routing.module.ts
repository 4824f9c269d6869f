import { Module } from '@nestjs/common';
import type { ServiceDefinition } from '@tierline/service';
import { MatchingConsumer } from './matching.consumer.ts';
import { MatchingService } from './matching.service.ts';
import { CreateRouting1763769700200 } from './migrations/create-routing.ts';
import { OfferController } from './offer.controller.ts';
import { OfferEntity } from './offer.entity.ts';
import { OfferService } from './offer.service.ts';
import { PoolRows } from './pool-rows.service.ts';
import { RetentionWorker } from './retention.worker.ts';
import { RoutingController } from './routing.controller.ts';
import { TriageConsumer } from './triage.consumer.ts';
import { TriageService } from './triage.service.ts';

@Module({
  controllers: [RoutingController, OfferController, TriageConsumer, MatchingConsumer],
  providers: [TriageService, MatchingService, PoolRows, OfferService, RetentionWorker],
})
export class RoutingModule {}

/** From a ticket to its queue, and from there to the agent who takes it. */
export const routingService: ServiceDefinition = {
  name: 'routing',
  module: RoutingModule,
  entities: [OfferEntity],
  migrations: [CreateRouting1763769700200],
};

export { routingConfiguration } from './configuration.ts';
