import { Controller } from '@nestjs/common';
import { Delivery } from '@tierline/channel';
import { MessageRequested } from '@tierline/events';
import { Consumes, On, type LogTransaction } from '@tierline/log';

const CHANNELS = new Set(['sms', 'voice']);

@Controller()
@Consumes('phone')
export class PhoneConsumer {
  constructor(private readonly delivery: Delivery) {}

  @On(MessageRequested)
  async onRequested(events: MessageRequested[], tx: LogTransaction): Promise<void> {
    await this.delivery.enqueue(
      events.filter(({ data }) => CHANNELS.has(data.channel)),
      tx,
    );
  }
}
