import { Controller } from '@nestjs/common';
import { Delivery } from '@tierline/channel';
import { MessageRequested } from '@tierline/events';
import { Consumes, On, type LogTransaction } from '@tierline/log';

@Controller()
@Consumes('social')
export class SocialConsumer {
  constructor(private readonly delivery: Delivery) {}

  @On(MessageRequested)
  async onRequested(events: MessageRequested[], tx: LogTransaction): Promise<void> {
    await this.delivery.enqueue(
      events.filter(({ data }) => data.channel === 'x'),
      tx,
    );
  }
}
