import { Controller } from '@nestjs/common';
import { PresenceLapsed, TicketRequeued } from '@tierline/events';
import { Consumes, On, type LogTransaction } from '@tierline/log';
import { PeopleService } from './people.service.ts';

@Controller()
@Consumes('people')
export class PeopleConsumer {
  constructor(private readonly people: PeopleService) {}

  @On(PresenceLapsed)
  async onLapsed(events: PresenceLapsed[], tx: LogTransaction): Promise<void> {
    await this.people.endLapsed(tx, events);
  }

  @On(TicketRequeued)
  async onRequeued(events: TicketRequeued[], tx: LogTransaction): Promise<void> {
    await this.people.setMissedAway(
      tx,
      events.filter(({ data }) => data.reason === 'expired'),
    );
  }
}
