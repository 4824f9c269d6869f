import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { toContact, type RawItem, type RawRequest } from '@tierline/channel';
import { conformance } from '@tierline/channel/conformance';
import type { Contact } from '@tierline/events';
import type { XAccount } from './configuration.ts';
import { XAdapter } from './x.adapter.ts';
import { xItems } from './x-delivery.ts';
import { xSignature } from './x-signature.ts';

const folder = join(import.meta.dirname, '../samples');
const samples = Object.fromEntries(readdirSync(folder).map((file) => [basename(file, '.json'), readFileSync(join(folder, file))]));
const sample = (name: string): Buffer => samples[name]!;
/** A sample with something else written in it. */
const changed = (name: string, from: string | RegExp, to: string): Buffer => Buffer.from(sample(name).toString().replaceAll(new RegExp(from, 'g'), to));

const RECEIVED_AT = new Date('2026-07-24T21:23:25.000Z');
const items = (body: Buffer): RawItem[] => xItems(body, RECEIVED_AT);
const account: XAccount = {
  handle: 'shop',
  appKey: 'key',
  consumerSecret: 'secret',
  accessToken: 'token',
  accessSecret: 'secret',
  apiUrl: 'https://api.x.com',
};
const adapter = new XAdapter(() => new Map([['1700000000000000001', account]]));

const request = (method: string, query: string, body: Buffer, headers: Record<string, string> = {}): RawRequest => {
  const url = `https://contact.example/social/v1/x/webhook${query}`;
  return { method, url, headers, query: new URL(url).searchParams, body };
};
const signed = (body: Buffer): RawRequest => request('POST', '', body, { 'x-twitter-webhooks-signature': xSignature('secret', body) });
const challenge = (token: string): RawRequest => request('GET', `?crc_token=${token}`, Buffer.alloc(0));

conformance('social', {
  adapter,
  items: Object.fromEntries(
    Object.entries(samples).flatMap(([name, body]) => items(body).map((item, index, all) => [all.length === 1 ? name : `${name} ${index + 1}`, item])),
  ),
  withText: (text) => items(changed('direct-message', 'hello! my number is <4711>', JSON.stringify(text).slice(1, -1).replaceAll('$', '$$$$')))[0]!,
  withId: (id) => items(changed('mention', '2080765813578191303', id))[0]!,
  unknown: [
    ...items(changed('like', 'like\\.create', 'hologram.received')),
    ...items(sample('replay-done')),
    ...items(Buffer.from('{"hologram_events":[{"id":1}]}')),
  ],
  webhook: {
    signed,
    mediaType: 'application/json',
    signatureHeader: 'x-twitter-webhooks-signature',
    deliveries: samples,
    same: [
      // Each delivery has an id of its own.
      [sample('mention'), changed('mention', '"event_uuid":"[^"]*"', '"event_uuid":"-1"')],
      [sample('direct-messages'), changed('direct-messages', '"event_uuid":"[^"]*"', '"event_uuid":"-1"')],
      // A mention below a post of ours is told twice.
      [sample('reply'), changed('reply', 'post\\.reply\\.create', 'post.mention.create')],
    ],
    poisoned: { body: changed('account-activity-mentions', '"text":"@shop and the second one too"', '"text":null'), good: 1 },
    handshake: {
      request: challenge('challenge'),
      response: { status: 200, mediaType: 'application/json', body: JSON.stringify({ response_token: xSignature('secret', 'challenge') }) },
      wrong: challenge('another'),
    },
  },
});

it('answers no challenge before there is a secret', () => {
  expect(new XAdapter(() => new Map()).handshake(challenge('challenge'))).toBeUndefined();
});

describe('a contact', () => {
  const contacts = async (delivery: string | Buffer): Promise<(Contact | undefined)[]> =>
    Promise.all(
      items(typeof delivery === 'string' ? sample(delivery) : delivery).map((item) =>
        toContact(adapter, item, {
          contactId: '0195a000-0000-7000-8000-000000000001',
          raw: { ref: 'raw', sha256: '', mediaType: '', bytes: 0 },
          receivedAt: RECEIVED_AT,
          saveBlob: () => Promise.reject(new Error('nothing to save')),
          secret: '',
        }),
      ),
    );

  it('says where it is to be answered: a post below itself, a message to whoever wrote it', async () => {
    const [mention] = await contacts('mention');
    expect(mention).toMatchObject({ from: { normalized: '2222222222222222222', value: '@ann_example' }, replyTo: { normalized: 'post:2080765813578191303' } });
    const [message] = await contacts('direct-message');
    expect(message!.replyTo).toBeUndefined();
  });

  it('has one conversation with the answers to it', async () => {
    const [mention] = await contacts('mention');
    const [reply] = await contacts('reply');
    expect(reply!.conversationKey).toBe(mention!.conversationKey);
    expect(reply!.threading.parents).toEqual(['2080765900000000009']);
  });

  it('is revised by an edit', async () => {
    const [mention] = await contacts('mention');
    const [edit] = await contacts('mention-edited');
    expect([edit!.revisionOf, edit!.revision, edit!.text]).toEqual([mention!.dedupeKey, 1, 'hey @shop, my order 4711 is late']);
  });

  it('tells what can be told of a post that X has given another shape', async () => {
    expect(await contacts(changed('mention', '"created_at":', '"posted_at":'))).toMatchObject([
      { flags: { unparsable: true }, from: { normalized: '2222222222222222222' }, text: expect.stringContaining('my order is late') },
    ]);
  });

  it('is not made of what we wrote ourselves, nor of what wants no answer', async () => {
    for (const name of ['reply-of-ours', 'direct-message-of-ours', 'account-activity-ours', 'account-activity-follow', 'like']) {
      expect((await contacts(name)).filter(Boolean)).toEqual([]);
    }
  });
});

describe('a message that cannot be sent', () => {
  const message = {
    messageId: '0195a000-0000-7000-8000-000000000002',
    ticketId: '0195a000-0000-7000-8000-000000000003',
    channel: 'x',
    accountRef: '1700000000000000001',
    conversationKey: 'x:1700000000000000001:dm:2222222222222222222',
    kind: 'reply' as const,
    automatic: false,
    to: { type: 'handle' as const, value: '@ann_example', normalized: '2222222222222222222', verified: true },
    text: 'Hello',
    attachments: [],
  };

  it.each([
    ['from an account that is not ours', { ...message, accountRef: '1' }],
    ['into an encrypted conversation', { ...message, conversationKey: 'x:1700000000000000001:chat:2222222222222222222:1700000000000000001' }],
    [
      'with an attachment',
      {
        ...message,
        attachments: [{ id: '1', filename: 'a.pdf', mediaType: 'application/pdf', bytes: 1, sha256: '', disposition: 'attachment' as const, ref: '' }],
      },
    ],
  ])('%s is refused here', async (_, refusedMessage) => {
    expect(await adapter.send(refusedMessage)).toMatchObject({ outcome: 'permanent' });
  });
});
