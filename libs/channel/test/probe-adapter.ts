import type { Contact } from '@tierline/events';
import type { ChannelAdapter, NormalizeContext, RawItem } from '../src/adapter.ts';

/** A channel for tests: its items are JSON, and what it does can be replaced. */
export class ProbeAdapter implements ChannelAdapter {
  readonly channel = 'probe';
  readonly version = '1';
  normalize = async (item: RawItem, context: NormalizeContext): Promise<Contact | undefined> => {
    const { from, text } = JSON.parse(item.body.toString()) as { from: string; text: string };
    return this.contact(item, context, from, text);
  };
  send: NonNullable<ChannelAdapter['send']> = async (message) => ({ outcome: 'sent', externalId: `probe-${message.messageId}` });

  protected contact(item: RawItem, context: NormalizeContext, from: string, text: string): Contact {
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
  }
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
