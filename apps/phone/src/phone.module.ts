import { Module } from '@nestjs/common';
import { channelMigrations, ChannelModule } from '@tierline/channel';
import type { ServiceDefinition } from '@tierline/service';
import { phoneAccount } from './configuration.ts';
import { PhoneConsumer } from './phone.consumer.ts';
import { PhoneController } from './phone.controller.ts';
import { TwilioAdapter } from './twilio.adapter.ts';

export { phoneConfiguration } from './configuration.ts';

@Module({
  imports: [
    ChannelModule.forService({
      service: 'phone',
      normalize: 'inline',
      settings: phoneAccount,
      adapter: ({ accounts }) => new TwilioAdapter(() => accounts.all()),
    }),
  ],
  controllers: [PhoneController, PhoneConsumer],
})
export class PhoneModule {}

/** Calls and SMS ⇄ contacts, through Twilio. */
export const phoneService: ServiceDefinition = { name: 'phone', module: PhoneModule, entities: [], migrations: channelMigrations('phone') };
