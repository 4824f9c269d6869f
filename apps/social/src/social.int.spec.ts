import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MessageRequested, newId, type Contact, type DataOf, type MessageFailed, type MessageSent } from '@tierline/events';
import { eventually, freePort, runServices, xDouble, type RunningServices, type XDouble } from '@tierline/testing';
import { xAccount } from './configuration.ts';
import { socialService } from './social.module.ts';
import { XAdapter } from './x.adapter.ts';

const OURS = '1700000000000000001';
const ANN = { id: '2222222222222222222', handle: 'ann_example' };
const SETTINGS = { handle: 'shop', appKey: 'key', consumerSecret: 'consumer-secret', accessToken: 'token', accessSecret: 'access-secret' };

let services: RunningServices;
let x: XDouble;
const configuration = () => ({ x: [{ account: OURS, ...SETTINGS, apiUrl: x.url }] });

beforeAll(async () => {
  services = await runServices([socialService]);
  x = await xDouble({ url: services.url, consumerSecret: SETTINGS.consumerSecret, account: OURS });
  await services.request('PUT', '/social/v1/configuration', configuration());
});

afterAll(async () => {
  await x.stop();
  await services.stop();
});

async function contacts(externalId: string): Promise<Contact[]> {
  return (await services.events('contact')).map(({ data }) => data as Contact).filter((contact) => contact.externalId === externalId);
}

it('applies its configuration once, and shows no secrets', async () => {
  expect((await services.request('PUT', '/social/v1/configuration', configuration())).body).toEqual({ changed: 0 });
  expect((await services.request('GET', '/social/v1/configuration')).body).toEqual({
    x: [{ account: OURS, handle: 'shop', appKey: 'key', consumerSecret: 'set', accessToken: 'set', accessSecret: 'set', apiUrl: x.url }],
  });
  expect(await services.request('GET', '/social/v1/configuration', undefined, null)).toMatchObject({ status: 401 });
});

describe('the webhook', () => {
  it('knows the secret when X asks', async () => {
    expect(await x.challenge()).toBe(true);
    expect(await services.request('GET', '/social/v1/x/webhook', undefined, null)).toMatchObject({ status: 403 });
  });

  it('believes nobody else, who soon gives up', async () => {
    const stranger = await xDouble({ url: services.url, consumerSecret: 'guess', account: OURS });
    try {
      const before = (await services.events()).length;
      expect(await stranger.challenge()).toBe(false);
      expect(await x.challenge()).toBe(true);
      expect(await stranger.post({ from: ANN, text: 'not delivered' })).toMatchObject({ status: undefined });
      expect(stranger.valid).toBe(false);
      expect(await services.request('POST', '/social/v1/x/webhook', { data: {} }, null)).toMatchObject({ status: 403, body: { title: 'webhook.forged' } });
      expect((await services.events()).length).toBe(before);
    } finally {
      await stranger.stop();
    }
  });

  it('takes what it does not know as a contact of the system', async () => {
    const { status, id } = await x.activity('hologram.received', { id: '9007199254740993', colour: 'blue' });
    expect(status).toBe(200);
    expect(await contacts(`x:hologram.received:${id}`)).toMatchObject([{ kind: 'system', accountRef: OURS }]);
  });

  it('takes what has another shape than it should as a contact that says so', async () => {
    const { status, id } = await x.activity('post.mention.create', { id: '9007199254740995', author_id: ANN.id, body: 'hello' });
    expect(status).toBe(200);
    expect(await contacts(`x:post:${id}`)).toMatchObject([{ flags: { unparsable: true }, from: { normalized: ANN.id } }]);
  });

  it('says clearly what is no JSON', async () => {
    const { status, body } = await x.raw('{"data": ');
    expect([status, JSON.parse(body)]).toMatchObject([400, { title: 'http.400' }]);
  });
});

describe('what somebody writes', () => {
  it('in a post is one contact, however often X delivers it', async () => {
    const mention = await x.post({ from: ANN, text: 'hey @shop, où est ma commande ? 😕' });
    expect(await Promise.all([mention.again(), mention.again()])).toMatchObject([{ status: 200 }, { status: 200 }]);
    expect(await contacts(mention.id)).toMatchObject([{ text: 'hey @shop, où est ma commande ? 😕', from: { normalized: ANN.id, verified: true } }]);
  });

  it('below the post goes on with the conversation, and an edit revises it', async () => {
    const mention = await x.post({ from: ANN, text: '@shop helo' });
    const edit = await x.post({ from: ANN, text: '@shop hello', editOf: [mention.id] });
    const reply = await x.post({ from: ANN, text: '@shop anybody there?', inReplyTo: mention.id });
    const [first] = await contacts(mention.id);
    expect(await contacts(edit.id)).toMatchObject([{ conversationKey: first!.conversationKey, revisionOf: first!.dedupeKey, revision: 1 }]);
    expect(await contacts(reply.id)).toMatchObject([{ conversationKey: first!.conversationKey, threading: { parents: [mention.id] } }]);
  });

  it('in a direct message is one contact', async () => {
    const message = await x.message({ from: ANN, text: 'my number is <4711>' });
    await message.again();
    expect(await contacts(message.id)).toMatchObject([{ text: 'my number is <4711>', conversationKey: `x:${OURS}:dm:${ANN.id}` }]);
  });

  it('so that only X can read it is a contact that says so', async () => {
    const { id } = await x.activity('chat.received', {
      id: newId(),
      sender_id: ANN.id,
      conversation_id: `${ANN.id}:${OURS}`,
      created_at_msec: '1784841183370',
    });
    expect(await contacts(id)).toMatchObject([{ kind: 'message', flags: { encrypted: true } }]);
  });
});

describe('a message to a customer', () => {
  const toAnn = { type: 'handle' as const, value: '@ann_example', normalized: ANN.id, verified: true };
  const requested = (text: string, postId?: string): DataOf<typeof MessageRequested> => ({
    messageId: newId(),
    ticketId: newId(),
    channel: 'x',
    accountRef: OURS,
    conversationKey: postId === undefined ? `x:${OURS}:dm:${ANN.id}` : `x:${OURS}:post:${postId}`,
    kind: 'reply',
    automatic: false,
    to: postId === undefined ? toAnn : { ...toAnn, value: `post:${postId}`, normalized: `post:${postId}` },
    text,
    attachments: [],
  });
  const request = (message: DataOf<typeof MessageRequested>) => services.append(MessageRequested, message.conversationKey, message);
  const outcome = (messageId: string) =>
    eventually(async () => {
      const events = (await services.events('message')) as (MessageRequested | MessageSent | MessageFailed)[];
      const about = events.filter(({ type, data }) => type !== 'message.requested' && data.messageId === messageId);
      expect(about).toHaveLength(1);
      return about[0]!;
    });
  const sent = (text: string) => x.sent.filter((one) => one.text === text);

  it.each([
    ['a post', '2080765813578191303', { kind: 'post', to: '2080765813578191303' }],
    ['a direct message', undefined, { kind: 'message', to: ANN.id }],
  ])('answers %s, once', async (_, postId, expected) => {
    const message = requested(`your ticket is #${postId ?? 'secret'} 🎉`, postId);
    await request(message);
    await request(message);
    const { type, data } = await outcome(message.messageId);
    expect(sent(message.text)).toMatchObject([expected]);
    expect([type, (data as MessageSent['data']).externalId]).toEqual(['message.sent', sent(message.text)[0]!.id]);
  });

  it('of another channel is none of its business', async () => {
    const mine = requested('mine');
    await request({ ...mine, messageId: newId(), channel: 'email' });
    await request(mine);
    await outcome(mine.messageId);
    expect(sent('mine')).toHaveLength(1);
  });

  it('waits until the limit ends, and is then sent once', async () => {
    x.failNext({
      status: 429,
      headers: { 'x-rate-limit-limit': '15', 'x-rate-limit-remaining': '0', 'x-rate-limit-reset': '1784928224' },
      body: { title: 'Too Many Requests' },
    });
    const message = requested('patience');
    await request(message);
    expect(await outcome(message.messageId)).toMatchObject({ type: 'message.sent' });
    expect(sent('patience')).toHaveLength(1);
  });

  it('that repeats a post is refused for good', async () => {
    const first = requested('we are on it', '2080765813578191401');
    const second = requested('we are on it', '2080765813578191402');
    await request(first);
    await outcome(first.messageId);
    await request(second);
    expect(await outcome(second.messageId)).toMatchObject({
      type: 'message.failed',
      data: { outcome: 'permanent', reason: 'X answered 403: You are not allowed to create a Tweet with duplicate content.' },
    });
  });

  it('that X may have taken is not sent again', async () => {
    x.failNext('drop');
    const message = requested('did you get this?');
    await request(message);
    expect(await outcome(message.messageId)).toMatchObject({ type: 'message.failed', data: { outcome: 'unknown' } });
    expect(sent('did you get this?')).toHaveLength(1);
  });

  describe('handed to X', () => {
    const send = (apiUrl: string, settings: object = {}, text = newId()) => {
      const account = xAccount.parse({ ...SETTINGS, apiUrl, ...settings });
      return new XAdapter(() => new Map([[OURS, account]]), 200).send(requested(text));
    };

    it('that does not answer in time, may have been taken', async () => {
      x.failNext('hang');
      expect(await send(x.url)).toEqual({ outcome: 'unknown', reason: 'Request timeout.' });
    });

    it('that cannot be reached, was not taken', async () => {
      expect(await send(`http://127.0.0.1:${await freePort()}`)).toMatchObject({ outcome: 'retry', reason: expect.stringContaining('ECONNREFUSED') });
      expect(await send('https://x.invalid')).toMatchObject({ outcome: 'retry' });
    });

    it('that is out of order, was not taken', async () => {
      x.failNext({ status: 503, headers: { 'content-type': 'text/html' }, body: '<h1>Over capacity</h1>' });
      expect(await send(x.url)).toEqual({ outcome: 'retry', reason: 'X answered 503' });
    });

    it('that answers something else than it should, may have been taken', async () => {
      x.failNext({ status: 200, headers: { 'content-type': 'text/html' }, body: '<h1>Welcome to this hotel</h1>' });
      expect(await send(x.url)).toMatchObject({ outcome: 'unknown' });
    });

    it('too often, says when to come back', async () => {
      const hasty = await xDouble({ url: services.url, consumerSecret: '', account: OURS, limits: { posts: 1, messages: 1, windowMs: 60_000 } });
      try {
        expect(await send(hasty.url)).toMatchObject({ outcome: 'sent' });
        expect(await send(hasty.url)).toMatchObject({ outcome: 'retry', retryAfterMs: expect.any(Number) });
        expect(hasty.sent).toHaveLength(1);
      } finally {
        await hasty.stop();
      }
    });
  });
});
