import { Module, type MiddlewareConsumer, type NestModule } from '@nestjs/common';
import { channelMigrations, ChannelModule } from '@tierline/channel';
import type { ServiceDefinition } from '@tierline/service';
import { ChatAdapter } from './chat.adapter.ts';
import { ChatConsumer } from './chat.consumer.ts';
import { ChatController } from './chat.controller.ts';
import { ChatGateway } from './chat.gateway.ts';
import { ChatService } from './chat.service.ts';
import { chatSite } from './configuration.ts';
import { cors } from './cors.ts';
import { MessagesService } from './messages.service.ts';
import { CreateChat1763769700802 } from './migrations/create-chat.ts';
import { PushWorker } from './push.worker.ts';

export { chatConfiguration } from './configuration.ts';

@Module({
  imports: [ChannelModule.forService({ service: 'chat', normalize: 'inline', settings: chatSite, adapter: () => new ChatAdapter() })],
  controllers: [ChatController, ChatConsumer],
  providers: [ChatGateway, ChatService, MessagesService, PushWorker],
})
export class ChatModule implements NestModule {
  constructor(private readonly chat: ChatService) {}

  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(cors((origin) => this.chat.isAllowed(origin))).forRoutes('chat/v1/*path');
  }
}

/** Visitors of websites ⇄ contacts, over WebSockets or HTTP. */
export const chatService: ServiceDefinition = {
  name: 'chat',
  module: ChatModule,
  entities: [],
  migrations: [...channelMigrations('chat'), CreateChat1763769700802],
};
