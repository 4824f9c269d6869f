import { Controller, Inject, Module } from '@nestjs/common';
import { MessageRequested, type Contact, type Event } from '@tierline/events';
import { Consumes, On, type LogTransaction } from '@tierline/log';
import { runServices, type FreshDatabase, type RunningServices } from '@tierline/testing';
import { z } from 'zod';
import {
  BLOB_STORE,
  channelMigrations,
  ChannelModule,
  Delivery,
  Intake,
  type BlobStore,
  type ChannelAdapter,
  type NormalizeContext,
  type RawItem,
} from '../src/index.ts';

/** A channel for tests: its items are JSON, and what it does can be replaced. */
export class ProbeAdapter implements ChannelAdapter {
  readonly channel = 'probe';
  readonly version = '1';
  normalize = async (item: RawItem, context: NormalizeContext): Promise<Contact | undefined> => {
    const { from, text } = JSON.parse(item.body.toString()) as { from: string; text: string };
    return {
      id: context.contactId,
      kind: 'message',
      channel: this.channel,
      accountRef: item.accountRef,
      direction: 'inbound',
      dedupeKey: item.dedupeKey,
      externalId: item.dedupeKey,
      conversationKey: `probe:${item.accountRef}:${from}`,
      threading: { parents: [] },
      from: { type: 'user', value: from, normalized: from, verified: true },
      to: [],
      cc: [],
      text,
      attachments: [],
      raw: context.raw,
      occurredAt: context.receivedAt.toISOString(),
      occurredAtSource: 'receipt',
      receivedAt: context.receivedAt.toISOString(),
      auth: { verdict: 'verified', method: 'token' },
      flags: {},
      adapter: { name: this.channel, version: this.version },
    };
  };
  send: NonNullable<ChannelAdapter['send']> = async (message) => ({ outcome: 'sent', externalId: `probe-${message.messageId}` });
}

export function rawItem(dedupeKey: string, body: object | Buffer = { from: 'ada', text: `text of ${dedupeKey}` }, meta = {}): RawItem {
  return {
    accountRef: 'main',
    dedupeKey,
    mediaType: 'application/json',
    body: Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body)),
    meta,
    receivedAt: new Date('2026-03-01T10:00:00.000Z'),
  };
}

export interface Probe extends RunningServices {
  intake: Intake;
  delivery: Delivery;
  blobs: BlobStore;
  appended(type: string): Promise<Event[]>;
}

/** Starts the probe channel on a database, which may be one that another probe was stopped or killed on. */
export async function startProbe(database: FreshDatabase, adapter: ChannelAdapter, normalize: 'inline' | 'deferred'): Promise<Probe> {
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
    imports: [ChannelModule.forService({ service: 'probe', normalize, settings: z.object({}), adapter: () => adapter })],
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
