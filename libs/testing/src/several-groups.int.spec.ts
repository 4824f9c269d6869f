import { expect, it } from '@jest/globals';
import { Controller, Module } from '@nestjs/common';
import { OfferExpired, PresenceLapsed, newId } from '@tierline/events';
import { Consumes, On } from '@tierline/log';
import { eventually } from './eventually.ts';
import { runServices } from './run-services.ts';

const calls: string[] = [];

@Controller()
@Consumes('first')
class FirstConsumer {
  @On(OfferExpired)
  onExpired(events: OfferExpired[]): Promise<void> {
    calls.push(...events.map(() => 'first'));
    return Promise.resolve();
  }
}

@Controller()
@Consumes('second')
class SecondConsumer {
  @On(OfferExpired, PresenceLapsed)
  onBoth(events: (OfferExpired | PresenceLapsed)[]): Promise<void> {
    calls.push(...events.map(({ type }) => `second ${type}`));
    return Promise.resolve();
  }
}

@Module({ controllers: [FirstConsumer, SecondConsumer] })
class GroupsModule {}

it('calls each group of a process once for each event, whatever other groups handle the same type', async () => {
  const tierline = await runServices([{ name: 'groups', module: GroupsModule, entities: [], migrations: [] }]);
  try {
    await tierline.append(OfferExpired, 'main', { offerId: newId(), ticketId: newId(), pool: 'main', agentId: 'ada' });
    await tierline.append(PresenceLapsed, 'ada', { agentId: 'ada' });
    await eventually(() => expect(calls.length).toBeGreaterThanOrEqual(3));
    expect([...calls].sort()).toEqual(['first', 'second offer.expired', 'second presence.lapsed']);
  } finally {
    await tierline.stop();
  }
});
