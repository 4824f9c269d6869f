import { Controller } from '@nestjs/common';
import { ContactReceived } from '@tierline/events';
import { Consumes, On, type LogTransaction } from '@tierline/log';
import { ThreadingService } from './threading.service.ts';

@Controller()
@Consumes('tickets')
export class ContactConsumer {
  constructor(private readonly threading: ThreadingService) {}

  @On(ContactReceived)
  async onReceived(events: ContactReceived[], tx: LogTransaction): Promise<void> {
    await this.threading.thread(events, tx);
  }
}
