import { Controller } from '@nestjs/common';
import { MessageRequested } from '@tierline/events';
import { Consumes, On, type LogTransaction } from '@tierline/log';
import { MessagesService } from './messages.service.ts';

@Controller()
@Consumes('chat')
export class ChatConsumer {
  constructor(private readonly messages: MessagesService) {}

  @On(MessageRequested)
  async onRequested(events: MessageRequested[], tx: LogTransaction): Promise<void> {
    const ours = events.filter(({ data }) => data.channel === 'chat');
    if (ours.length > 0) await this.messages.say(ours, tx);
  }
}
