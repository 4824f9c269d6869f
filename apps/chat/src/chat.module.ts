import { Module } from '@nestjs/common';
import { channelMigrations, ChannelModule } from '@tierline/channel';
import type { ServiceDefinition } from '@tierline/service';
import { ChatAdapter } from './chat.adapter.ts';
import { ChatConsumer } from './chat.consumer.ts';
import { ChatController } from './chat.controller.ts';
import { ChatGateway } from './chat.gateway.ts';
import { ChatService } from './chat.service.ts';
import { chatSite } from './configuration.ts';
import { CreateChat1763769700802 } from './migrations/create-chat.ts';

export { chatConfiguration } from './configuration.ts';

@Module({
  imports: [ChannelModule.forService({ service: 'chat', normalize: 'inline', settings: chatSite, adapter: () => new ChatAdapter() })],
  controllers: [ChatController, ChatConsumer],
  providers: [ChatGateway, ChatService],
})
export class ChatModule {}

/** Web chat ⇄ contacts, over WebSockets. */
export const chatService: ServiceDefinition = {
  name: 'chat',
  module: ChatModule,
  entities: [],
  migrations: [...channelMigrations('chat'), CreateChat1763769700802],
};
