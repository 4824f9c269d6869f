import { Module } from '@nestjs/common';
import { channelMigrations, ChannelModule } from '@tierline/channel';
import type { ServiceDefinition } from '@tierline/service';
import { portalAccount } from './configuration.ts';
import { CreatePortal1763769700801 } from './migrations/create-portal.ts';
import { PortalAdapter } from './portal.adapter.ts';
import { PortalConsumer } from './portal.consumer.ts';
import { PortalController } from './portal.controller.ts';
import { PortalService } from './portal.service.ts';

export { portalConfiguration } from './configuration.ts';

@Module({
  imports: [ChannelModule.forService({ service: 'portal', normalize: 'inline', settings: portalAccount, adapter: () => new PortalAdapter() })],
  controllers: [PortalController, PortalConsumer],
  providers: [PortalService],
})
export class PortalModule {}

/** The intake API: submit a contact, follow what becomes of it. */
export const portalService: ServiceDefinition = {
  name: 'portal',
  module: PortalModule,
  entities: [],
  migrations: [...channelMigrations('portal'), CreatePortal1763769700801],
};
