import { Module } from '@nestjs/common';
import { channelMigrations, ChannelModule } from '@tierline/channel';
import type { ServiceDefinition } from '@tierline/service';
import { xAccount } from './configuration.ts';
import { SocialConsumer } from './social.consumer.ts';
import { SocialController } from './social.controller.ts';
import { XAdapter } from './x.adapter.ts';

export { socialConfiguration } from './configuration.ts';

@Module({
  imports: [
    ChannelModule.forService({ service: 'social', normalize: 'inline', settings: xAccount, adapter: ({ accounts }) => new XAdapter(() => accounts.all()) }),
  ],
  controllers: [SocialController, SocialConsumer],
})
export class SocialModule {}

/** Posts, mentions and direct messages ⇄ contacts, on X. */
export const socialService: ServiceDefinition = { name: 'social', module: SocialModule, entities: [], migrations: channelMigrations('social') };
