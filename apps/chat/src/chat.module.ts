import { Module } from '@nestjs/common';
import { channelMigrations } from '@tierline/channel';
import type { ServiceDefinition } from '@tierline/service';

export { chatConfiguration } from './configuration.ts';

@Module({})
export class ChatModule {}

/** Visitors of websites ⇄ contacts, over WebSocket or HTTP. */
export const chatService: ServiceDefinition = { name: 'chat', module: ChatModule, entities: [], migrations: channelMigrations('chat') };
