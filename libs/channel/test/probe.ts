import { Controller, Inject, Module } from '@nestjs/common';
import { MessageRequested, type Event } from '@tierline/events';
import { Consumes, On, type LogTransaction } from '@tierline/log';
import { runServices, type FreshDatabase, type RunningServices } from '@tierline/testing';
import { z } from 'zod';
import { BLOB_STORE, channelMigrations, ChannelModule, Delivery, Intake, type BlobStore, type ChannelAdapter, type Thread } from '../src/index.ts';

export interface Probe extends RunningServices {
  intake: Intake;
  delivery: Delivery;
  blobs: BlobStore;
  appended(type: string): Promise<Event[]>;
}

/** Starts the probe channel on a database, which may be one that another probe was stopped or killed on. */
export async function startProbe(database: FreshDatabase, adapter: ChannelAdapter, normalize: 'inline' | 'deferred', thread?: Thread): Promise<Probe> {
  @Controller()
  @Consumes('probe')
  class ProbeConsumer {
    constructor(@Inject(Delivery) private readonly delivery: Delivery) {}

    @On(MessageRequested)
    async onRequested(events: MessageRequested[], tx: LogTransaction): Promise<void> {
      await this.delivery.enqueue(events, tx);
    }
  }
  @Module({
    imports: [ChannelModule.forService({ service: 'probe', normalize, settings: z.object({}), adapter: () => adapter, ...(thread && { thread }) })],
    controllers: [ProbeConsumer],
  })
  class ProbeModule {}

  const running = await runServices([{ name: 'probe', module: ProbeModule, entities: [], migrations: channelMigrations('probe') }], { database });
  const find = <T>(token: unknown): T => running.app.select(ProbeModule).get(token as never, { strict: false });
  return {
    ...running,
    intake: find(Intake),
    delivery: find(Delivery),
    blobs: find(BLOB_STORE),
    async appended(type) {
      return (await running.events()).filter((event) => event.type === type);
    },
  };
}
