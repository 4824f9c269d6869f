import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { MessageRequested, newId, type Contact } from '@tierline/events';
import { eventually, freshDatabase, runServices, type FreshDatabase, type RunningServices } from '@tierline/testing';
import { WebSocket } from 'ws';
import { chatService } from './chat.module.ts';
import { conversationKey } from './chat-contact.ts';

const ORIGIN = 'https://shop.example.org';
const env = { TIERLINE_SECRET: randomBytes(32).toString('base64url') };

let database: FreshDatabase;
let services: RunningServices;
const visitors: Visitor[] = [];

beforeAll(async () => {
  database = await freshDatabase('chat');
  services = await start();
});
afterAll(async () => {
  await services.stop();
  await database.drop();
});
afterEach(() => {
  for (const visitor of visitors.splice(0)) visitor.drop();
});

async function start(): Promise<RunningServices> {
  const running = await runServices([chatService], { env, database });
  await running.request('PUT', '/chat/v1/configuration', { sites: [{ name: 'shop', origins: [ORIGIN], brand: 'Shop' }] });
  return running;
}

type Frame = { seq?: number; ack?: string; id?: string; cid?: string; from?: string; text?: string; error?: { code: string; cid?: string } };

/** A browser as it should be: sends again what was not acknowledged, and says what it has seen when it comes back. */
class Visitor {
  socket: WebSocket | undefined;
  session: string | undefined;
  conversation = '';
  since = 0;
  readonly frames: Frame[] = [];
  readonly unacknowledged = new Map<string, string>();

  constructor(private readonly url = services.url) {
    visitors.push(this);
  }

  async connect(): Promise<this> {
    const socket = new WebSocket(`${this.url.replace('http', 'ws')}/chat/v1/socket?site=shop`, { origin: ORIGIN });
    this.socket = socket;
    socket.on('error', () => undefined);
    await once(socket, 'open');
    const welcomed = new Promise<void>((resolve, reject) => {
      socket.on('close', () => reject(new Error('closed')));
      socket.on('message', (data: Buffer) => {
        const frame = JSON.parse(data.toString()) as Frame & { welcome?: { session: string; conversation: string } };
        if (frame.welcome) {
          this.session = frame.welcome.session;
          this.conversation = frame.welcome.conversation;
          return resolve();
        }
        this.frames.push(frame);
        if (frame.ack !== undefined) this.unacknowledged.delete(frame.ack);
        this.since = Math.max(this.since, frame.seq ?? 0);
      });
    });
    socket.send(JSON.stringify({ hello: { session: this.session, since: this.since } }));
    await welcomed;
    for (const [cid, text] of this.unacknowledged) socket.send(JSON.stringify({ cid, text }));
    return this;
  }

  say(text: string): string {
    const cid = newId();
    this.unacknowledged.set(cid, text);
    this.socket?.send(JSON.stringify({ cid, text }), () => undefined);
    return cid;
  }

  drop(): void {
    this.socket?.terminate();
  }

  async acknowledged(): Promise<void> {
    await eventually(() => this.unacknowledged.size === 0);
  }
}

async function contactsOf(conversation: string): Promise<Contact[]> {
  const contacts = (await services.events('contact')).map(({ data }) => data as Contact);
  return contacts.filter((contact) => contact.conversationKey === conversationKey('shop', conversation));
}

async function answer(conversation: string, text: string, kind: 'reply' | 'acknowledgement' = 'reply', running = services): Promise<void> {
  const key = conversationKey('shop', conversation);
  const to = { type: 'anonymous' as const, value: conversation, normalized: conversation, verified: true };
  const message = {
    messageId: newId(),
    ticketId: newId(),
    channel: 'chat',
    accountRef: 'shop',
    conversationKey: key,
    kind,
    automatic: kind !== 'reply',
    to,
    text,
    attachments: [],
  };
  await running.append(MessageRequested, key, message);
}

describe('a chat', () => {
  it('acknowledges what is kept, and makes a contact of it', async () => {
    const visitor = await new Visitor().connect();
    const cid = visitor.say('My parcel is lost 📦');
    await visitor.acknowledged();
    const [contact] = await contactsOf(visitor.conversation);
    expect(visitor.frames).toEqual([{ ack: cid, seq: 1, id: contact!.id }]);
    expect(contact).toMatchObject({
      channel: 'chat',
      accountRef: 'shop',
      brand: 'Shop',
      text: 'My parcel is lost 📦',
      from: { type: 'anonymous', value: visitor.conversation },
      auth: { method: 'session' },
    });
  });

  it('brings the answer to every tab of the visitor, and says that it was sent', async () => {
    const first = await new Visitor().connect();
    const second = new Visitor();
    second.session = first.session;
    await second.connect();
    first.say('Hello?');
    await first.acknowledged();
    await answer(first.conversation, 'We have it.', 'acknowledgement');
    await answer(first.conversation, 'How can I help?');
    const answers = [
      { seq: 2, from: 'system', text: 'We have it.' },
      { seq: 3, from: 'agent', text: 'How can I help?' },
    ];
    await eventually(() => expect(first.frames).toMatchObject([{ seq: 1, ack: expect.any(String) }, ...answers]));
    await eventually(() => expect(second.frames).toMatchObject([{ seq: 1, from: 'visitor', text: 'Hello?' }, ...answers]));
    await eventually(async () =>
      expect((await services.events('message')).filter(({ type, key }) => type === 'message.sent' && key.endsWith(first.conversation))).toHaveLength(2),
    );
  });

  it('loses and doubles nothing for a visitor whose line drops all the time', async () => {
    const visitor = await new Visitor().connect();
    const { conversation } = visitor;
    for (let round = 0; round < 12; round++) {
      for (let n = 0; n < 3; n++) visitor.say(`visitor ${round}.${n}`);
      await answer(conversation, `agent ${round}`);
      // Now in the middle of sending, now of receiving, now of nothing.
      for (let turns = 0; turns < round * 3; turns++) await new Promise(setImmediate);
      visitor.drop();
      await visitor.connect();
    }
    await visitor.acknowledged();
    await eventually(() => expect(visitor.since).toBe(48));
    expect((await contactsOf(conversation)).map(({ text }) => text).sort()).toEqual(
      Array.from({ length: 36 }, (_, n) => `visitor ${Math.floor(n / 3)}.${n % 3}`).sort(),
    );
    const agent = visitor.frames.filter(({ from }) => from === 'agent').map(({ text }) => text);
    expect(agent).toEqual(Array.from({ length: 12 }, (_, n) => `agent ${n}`));

    const later = new Visitor();
    later.session = visitor.session;
    await later.connect();
    await eventually(() => expect(later.frames.map(({ seq }) => seq)).toEqual(Array.from({ length: 48 }, (_, n) => n + 1)));
    expect(new Set(later.frames.map(({ id }) => id)).size).toBe(48);
  });

  it('goes on in another process, with what was said through the first', async () => {
    const other = await start();
    try {
      const here = await new Visitor().connect();
      const there = new Visitor(other.url);
      there.session = here.session;
      await there.connect();
      here.say('Said here');
      there.say('Said there');
      await here.acknowledged();
      await there.acknowledged();
      await answer(here.conversation, 'Heard');
      for (const visitor of [here, there]) await eventually(() => expect(visitor.frames.map(({ seq }) => seq)).toEqual([1, 2, 3]));
    } finally {
      await other.stop();
    }
  });

  it('goes on after a restart', async () => {
    const visitor = await new Visitor().connect();
    visitor.say('before');
    await visitor.acknowledged();
    const closed = once(visitor.socket!, 'close');
    await services.stop();
    expect((await closed)[0]).toBe(1012);
    services = await start();
    const again = new Visitor();
    Object.assign(again, { session: visitor.session, since: visitor.since });
    await again.connect();
    expect(again.conversation).toBe(visitor.conversation);
    again.say('after');
    await again.acknowledged();
    expect(again.frames).toMatchObject([{ seq: 2 }]);
  });

  it('cannot be answered where it is not', async () => {
    const key = 'chat:shop:nowhere';
    const to = { type: 'anonymous' as const, value: 'x', normalized: 'x', verified: false };
    await services.append(MessageRequested, key, {
      messageId: newId(),
      ticketId: newId(),
      channel: 'chat',
      accountRef: 'shop',
      conversationKey: key,
      kind: 'reply',
      automatic: false,
      to,
      text: 'x',
      attachments: [],
    });
    await eventually(async () =>
      expect((await services.events('message')).filter((event) => event.type === 'message.failed' && event.key === key)).toMatchObject([
        { data: { outcome: 'permanent' } },
      ]),
    );
  });
});

describe('the door', () => {
  async function knock(path: string, headers: Record<string, string> = {}): Promise<number | 'open'> {
    const socket = new WebSocket(`${services.url.replace('http', 'ws')}${path}`, { headers });
    const outcome = await new Promise<number | 'open'>((resolve) => {
      socket.on('open', () => resolve('open'));
      socket.on('unexpected-response', (_, response) => resolve(response.statusCode!));
      socket.on('error', () => resolve(0));
    });
    socket.on('error', () => undefined);
    socket.terminate();
    return outcome;
  }

  it.each<[string, string, Record<string, string>, number | 'open']>([
    ['a page of the site', '/chat/v1/socket?site=shop', { origin: ORIGIN }, 'open'],
    ['an app, which has no origin', '/chat/v1/socket?site=shop', {}, 'open'],
    ['a page of somebody else', '/chat/v1/socket?site=shop', { origin: 'https://shop.example.org.evil.example' }, 403],
    ['the site over plain HTTP', '/chat/v1/socket?site=shop', { origin: 'http://shop.example.org' }, 403],
    ['a sandboxed frame', '/chat/v1/socket?site=shop', { origin: 'null' }, 403],
    ['a site we do not know', '/chat/v1/socket?site=other', { origin: ORIGIN }, 403],
    ['no site', '/chat/v1/socket', { origin: ORIGIN }, 403],
  ])('to %s', async (_, path, headers, outcome) => {
    expect(await knock(path, headers)).toBe(outcome);
  });

  it('closes on a frame that is too large', async () => {
    const visitor = await new Visitor().connect();
    const closed = once(visitor.socket!, 'close');
    visitor.socket!.send('x'.repeat(65 * 1024));
    expect((await closed)[0]).toBe(1009);
  });

  it('closes on the eleventh tab', async () => {
    const first = await new Visitor().connect();
    const tabs = Array.from({ length: 10 }, () => Object.assign(new Visitor(), { session: first.session }));
    const outcomes = await Promise.allSettled(tabs.map((tab) => tab.connect()));
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(1);
  });

  it('survives frames that are none', async () => {
    const visitor = await new Visitor().connect();
    for (const data of ['{', '[]', 'null', '{"cid":1}', Buffer.from([0xff, 0x00])]) visitor.socket!.send(data);
    await eventually(() => expect(visitor.frames.map(({ error }) => error?.code)).toEqual(Array.from({ length: 5 }, () => 'frame.invalid')));
    visitor.say('still a\0live \ud83d?');
    await visitor.acknowledged();
    expect(await contactsOf(visitor.conversation)).toMatchObject([{ text: 'still alive ?' }]);
  });

  it('is configured by administrators, once', async () => {
    const section = { sites: [{ name: 'shop', origins: [ORIGIN], brand: 'Shop' }] };
    expect((await services.request('PUT', '/chat/v1/configuration', section)).body).toEqual({ changed: 0 });
    expect((await services.request('GET', '/chat/v1/configuration')).body).toEqual(section);
    expect((await services.request('PUT', '/chat/v1/configuration', section, null)).status).toBe(401);
    expect((await services.request('PUT', '/chat/v1/configuration', section, await services.tokenFor('ann', 'agent'))).status).toBe(403);
  });
});
