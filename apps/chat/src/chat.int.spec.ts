import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { MessageRequested, newId, type Contact, type DataOf } from '@tierline/events';
import { eventually, freshDatabase, runServices, type FreshDatabase, type RunningServices } from '@tierline/testing';
import { chatClient, type ChatClient, type ChatClientOptions } from '@tierline/testing/chat-client';
import { WebSocket } from 'ws';
import { chatService } from './chat.module.ts';

const ORIGIN = 'https://shop.example';
const SITES = {
  sites: [
    { ref: 'shop', origins: [ORIGIN], name: 'The Shop' },
    { ref: 'blog', origins: ['https://blog.example'] },
  ],
};
/** Instances of one installation share it. */
const env = { TIERLINE_SECRET: randomBytes(32).toString('base64url') };

let database: FreshDatabase;
let services: RunningServices;
const clients: ChatClient[] = [];

beforeAll(async () => {
  database = await freshDatabase('chat');
  services = await start();
  await services.request('PUT', '/chat/v1/configuration', SITES);
});
afterAll(async () => {
  await services.stop();
  await database.drop();
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
});

function start(): Promise<RunningServices> {
  return runServices([chatService], { env, database });
}

function visitor(options: Partial<ChatClientOptions> = {}): ChatClient {
  const client = chatClient({ url: services.url, site: 'shop', origin: ORIGIN, ...options });
  clients.push(client);
  return client;
}

async function contactsOf({ session }: ChatClient): Promise<Contact[]> {
  const { conversation } = await session;
  const events = await services.events('contact');
  return events.map(({ data }) => data as Contact).filter(({ conversationKey }) => conversationKey === `chat:shop:${conversation}`);
}

async function answer({ session }: ChatClient, text: string, given: Partial<DataOf<typeof MessageRequested>> = {}, by = services): Promise<string> {
  const { conversation, session: value } = await session;
  const conversationKey = `chat:shop:${conversation}`;
  const messageId = given.messageId ?? newId();
  await by.append(MessageRequested, conversationKey, {
    messageId,
    ticketId: newId(),
    channel: 'chat',
    accountRef: 'shop',
    conversationKey,
    kind: 'reply',
    automatic: false,
    to: { type: 'anonymous', value, normalized: value, verified: true },
    text,
    attachments: [],
    ...given,
  });
  return messageId;
}

/** What is wrong with the sequence of what came: nothing is missing, doubled or out of order. */
function expectWhole({ received }: ChatClient, count: number): void {
  expect(received.map(({ seq }) => seq)).toEqual(Array.from({ length: count }, (_, index) => index + 1));
}

/** A socket whose other end is the test's own hand. */
async function rawSocket({ site = 'shop', origin = ORIGIN, url = services.url } = {}) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/chat/v1/socket?site=${site}`, { origin });
  const frames: Record<string, unknown>[] = [];
  socket.on('message', (data: Buffer) => frames.push(JSON.parse(data.toString()) as Record<string, unknown>));
  const closed = new Promise<[number, string]>((done) => socket.on('close', (code, reason) => done([code, reason.toString()])));
  await once(socket, 'open');
  return { socket, frames, closed, say: (frame: unknown) => socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame)) };
}

describe('the configuration', () => {
  it('is applied once, and shown', async () => {
    expect((await services.request('PUT', '/chat/v1/configuration', SITES)).body).toEqual({ changed: 0 });
    expect((await services.request('GET', '/chat/v1/configuration')).body.sites).toEqual(expect.arrayContaining(SITES.sites));
  });

  it('is for administrators', async () => {
    const agent = await services.tokenFor('ann', 'agent');
    expect(await services.request('PUT', '/chat/v1/configuration', SITES, agent)).toMatchObject({ status: 403 });
    expect(await services.request('GET', '/chat/v1/configuration', undefined, null)).toMatchObject({ status: 401 });
  });
});

describe('what a visitor says', () => {
  it('is a contact when it is acknowledged', async () => {
    const ann = visitor({ name: 'Ann', email: 'ann@example.org' });
    const { id, seq } = await ann.send('Où est mon colis ? 📦', 'c-1');
    const { session, conversation } = await ann.session;
    expect(seq).toBe(1);
    expect(await contactsOf(ann)).toMatchObject([
      {
        id,
        channel: 'chat',
        accountRef: 'shop',
        text: 'Où est mon colis ? 📦',
        dedupeKey: `chat:${session}:c-1`,
        conversationKey: `chat:shop:${conversation}`,
        from: { type: 'anonymous', value: session, display: 'Ann', verified: true },
        auth: { verdict: 'verified', method: 'session' },
        ext: { chat: { claimedEmail: 'ann@example.org' } },
      },
    ]);
    await eventually(() => expect(ann.received).toEqual([expect.objectContaining({ seq: 1, id, cid: 'c-1', from: 'visitor', text: 'Où est mon colis ? 📦' })]));
  });

  it('stays in the order in which it was said, however fast', async () => {
    const ann = visitor();
    const texts = Array.from({ length: 45 }, (_, index) => `line ${index}`);
    const kept = await Promise.all(texts.map((text) => ann.send(text)));
    expect(kept.map(({ seq }) => seq)).toEqual(texts.map((_, index) => index + 1));
    expect((await contactsOf(ann)).map(({ text }) => text)).toEqual(texts);
    await eventually(() => expect(ann.received.map(({ text }) => text)).toEqual(texts));
  });

  it('is one contact, and is acknowledged as one, however often and by whatever way it comes', async () => {
    const ann = visitor();
    const session = await ann.session;
    const tabs = Array.from({ length: 8 }, () => visitor({ session }));
    const cid = newId();
    const authorization = { authorization: `Bearer ${session.token}` };
    const acks = await Promise.all([
      ...tabs.map((tab) => tab.send('once', cid)),
      ...Array.from({ length: 10 }, async () => {
        const { status, body } = await services.request('POST', '/chat/v1/messages', { cid, text: 'once' }, null, authorization);
        expect([status, body.ack]).toEqual([200, cid]);
        return { seq: body.seq as number, id: body.id as string };
      }),
    ]);
    const { socket, frames, say } = await rawSocket();
    say({ token: session.token });
    for (let n = 0; n < 32; n++) say({ cid, text: 'once' });
    await eventually(() => expect(frames.filter(({ ack }) => ack === cid)).toHaveLength(32));
    socket.terminate();
    expect(new Set([...acks, ...frames.filter(({ ack }) => ack === cid)].map(({ seq, id }) => `${String(seq)} ${String(id)}`)).size).toBe(1);
    expect(await contactsOf(ann)).toHaveLength(1);
    await eventually(() => tabs.forEach((tab) => expectWhole(tab, 1)));
  });

  it('under a cid that was used for something else is refused', async () => {
    const ann = visitor();
    await ann.send('first', 'c-1');
    await expect(ann.send('second', 'c-1')).rejects.toMatchObject({ code: 'cid.reused' });
    expect((await contactsOf(ann)).map(({ text }) => text)).toEqual(['first']);
  });

  it('is kept without what no database keeps', async () => {
    const ann = visitor();
    await ann.send('a\0b \ud83d c 👩‍👩‍👧‍👦');
    expect((await contactsOf(ann))[0]).toMatchObject({ text: 'ab  c 👩‍👩‍👧‍👦', flags: {} });
  });

  it('counts even when the visitor leaves with it', async () => {
    const ann = visitor();
    const { token } = await ann.session;
    const { socket, say, closed } = await rawSocket();
    say({ token });
    say({ cid: 'c-1', text: 'bye' });
    socket.close();
    await closed;
    await eventually(async () => expect(await contactsOf(ann)).toHaveLength(1));
  });
});

describe('what our people answer', () => {
  it('reaches every tab of the visitor in order, once, and counts as sent', async () => {
    const ann = visitor();
    const tab = visitor({ session: await ann.session });
    const other = visitor();
    await other.send('somebody else');
    await ann.send('Hello?');
    const acknowledgement = await answer(ann, 'We have it.', { kind: 'acknowledgement', automatic: true });
    const reply = await answer(ann, 'How can I help?');
    await answer(ann, 'How can I help?', { messageId: reply });
    await answer(ann, 'in German', { channel: 'email' });
    const last = await answer(ann, 'Still there?');
    const all = [
      { seq: 1, from: 'visitor', text: 'Hello?' },
      { seq: 2, id: acknowledgement, from: 'system', text: 'We have it.' },
      { seq: 3, id: reply, from: 'agent', text: 'How can I help?' },
      { seq: 4, id: last, from: 'agent', text: 'Still there?' },
    ];
    for (const client of [ann, tab]) await eventually(() => expect(client.received).toMatchObject(all));
    expectWhole(other, 1);
    const { conversation } = await ann.session;
    await eventually(async () => {
      const sent = (await services.events('message')).filter(({ type, key }) => type === 'message.sent' && key.endsWith(conversation));
      expect(sent.map(({ data }) => (data as { messageId: string }).messageId)).toEqual([acknowledgement, reply, last]);
    });
  });

  it('to a conversation that never was has failed', async () => {
    const nobody = visitor();
    const ids = [await answer(nobody, 'Hello?'), await answer(nobody, 'Hello?', { conversationKey: 'chat:shop:elsewhere' })];
    await eventually(async () => {
      const failed = (await services.events('message')).filter(
        ({ type, data }) => type === 'message.failed' && ids.includes((data as { messageId: string }).messageId),
      );
      expect(failed).toHaveLength(2);
      expect(failed[0]).toMatchObject({ data: { outcome: 'permanent' } });
    });
  });
});

describe('a connection that is lost', () => {
  it('loses nothing and doubles nothing, whenever it is cut', async () => {
    const ann = visitor();
    const said: Promise<unknown>[] = [];
    const answers: string[] = [];
    let cuts = 0;
    const cutter = setInterval(() => (ann.kill(), cuts++), 250);
    await ann.send('line 0');
    for (let n = 1; n <= 40; n++) {
      said.push(ann.send(`line ${n}`));
      if (n % 2 === 0) answers.push(await answer(ann, `answer ${n}`));
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    await Promise.all(said);
    clearInterval(cutter);
    expect(cuts).toBeGreaterThan(4);
    await eventually(() => expectWhole(ann, 61));
    const lines = Array.from({ length: 41 }, (_, n) => `line ${n}`);
    expect(ann.received.flatMap(({ from, text }) => (from === 'visitor' ? [text] : []))).toEqual(lines);
    expect(ann.received.flatMap(({ from, id }) => (from === 'agent' ? [id] : []))).toEqual(answers);
    expect((await contactsOf(ann)).map(({ text }) => text)).toEqual(lines);
  });

  it('goes on from where the visitor was, and from the beginning where that cannot be', async () => {
    const ann = visitor();
    for (const text of ['one', 'two', 'three']) await ann.send(text);
    const { token } = await ann.session;
    for (const [since, seqs, from] of [
      [2, [3], 2],
      [0, [1, 2, 3], 0],
      [3, [], 3],
      [4_000, [1, 2, 3], 0],
    ] as const) {
      const { socket, frames, say } = await rawSocket();
      say({ token, since });
      await eventually(() => expect(frames).toHaveLength(seqs.length + 1));
      expect(frames[0]).toMatchObject({ welcome: { since: from } });
      expect(frames.slice(1).map(({ message }) => (message as { seq: number }).seq)).toEqual(seqs);
      socket.terminate();
    }
  });

  it('brings a long conversation back page by page', async () => {
    const ann = visitor();
    await ann.send('Hello?');
    await Promise.all(Array.from({ length: 130 }, (_, n) => answer(ann, `answer ${n} ${'x'.repeat(5_000)}`)));
    await eventually(() => expectWhole(ann, 131));
    const tab = visitor({ session: await ann.session });
    await eventually(() => expectWhole(tab, 131));
  });
});

describe('a server that stops and starts again', () => {
  it('finds every visitor where it left them', async () => {
    const ann = visitor();
    await ann.send('before');
    const url = new URL(services.url);
    await services.stop();
    const said = ann.send('while nobody was there');
    services = await runServices([chatService], { env: { ...env, PORT: url.port }, database });
    await answer(ann, 'back again');
    expect(await said).toMatchObject({ seq: expect.any(Number) });
    await eventually(() => expectWhole(ann, 3));
    expect(new Set(ann.received.map(({ text }) => text))).toEqual(new Set(['before', 'while nobody was there', 'back again']));
  });
});

describe('two instances on one database', () => {
  it('bring each other’s messages to their visitors', async () => {
    const other = await start();
    try {
      const ann = visitor();
      await ann.send('here');
      const tab = visitor({ url: other.url, session: await ann.session });
      await eventually(() => expectWhole(tab, 1));
      await tab.send('there');
      await Promise.all(Array.from({ length: 10 }, (_, n) => answer(ann, `answer ${n}`, {}, n % 2 ? other : services)));
      await Promise.all([ann.send('here again'), tab.send('there again')]);
      for (const client of [ann, tab]) await eventually(() => expectWhole(client, 14));
      expect(tab.received.map(({ id }) => id)).toEqual(ann.received.map(({ id }) => id));
    } finally {
      await other.stop();
    }
  });
});

describe('the door', () => {
  const handshake = async (query: string, headers: Record<string, string>) => {
    const socket = new WebSocket(`${services.url.replace('http', 'ws')}/chat/v1/socket${query}`, { headers });
    const [error] = (await once(socket, 'error')) as [Error];
    return error.message;
  };
  const begin = (body: unknown, headers: Record<string, string> = { origin: ORIGIN }) => services.request('POST', '/chat/v1/sessions', body, null, headers);

  it.each([
    ['a site that is none of ours', '?site=elsewhere', { origin: ORIGIN }],
    ['no site', '', { origin: ORIGIN }],
    ['another origin', '?site=shop', { origin: 'https://evil.example' }],
    ['the origin of another site', '?site=shop', { origin: 'https://blog.example' }],
    ['an origin that only begins alike', '?site=shop', { origin: `${ORIGIN}.evil.example` }],
    ['no origin', '?site=shop', {}],
  ])('is shut for %s', async (_, query, headers) => {
    expect(await handshake(query, headers as Record<string, string>)).toBe('Unexpected server response: 403');
  });

  it('begins sessions for pages of the site only', async () => {
    expect(await begin({ site: 'shop' })).toMatchObject({ status: 201, body: { session: expect.any(String), token: expect.any(String), name: 'The Shop' } });
    for (const [site, origin] of [
      ['shop', 'https://blog.example'],
      ['elsewhere', ORIGIN],
      ['shop', 'null'],
    ] as const) {
      expect(await begin({ site }, { origin })).toMatchObject({ status: 403, body: { title: 'origin.forbidden' } });
    }
    expect(await begin({ site: 'shop' }, {})).toMatchObject({ status: 403 });
    expect(await begin({ site: 'shop', email: 'nobody', name: ' ' })).toMatchObject({ status: 422 });
  });

  it('lets pages of our sites ask across origins, and no others', async () => {
    const preflight = (origin: string) =>
      services.request('OPTIONS', '/chat/v1/messages', undefined, null, { origin, 'access-control-request-method': 'POST' });
    const allowed = await preflight(ORIGIN);
    expect([allowed.status, allowed.headers.get('access-control-allow-origin'), allowed.headers.get('access-control-allow-headers')]).toEqual([
      204,
      ORIGIN,
      'Authorization, Content-Type',
    ]);
    expect((await preflight('https://evil.example')).headers.get('access-control-allow-origin')).toBeNull();
    expect((await begin({ site: 'shop' })).headers.get('access-control-allow-origin')).toBe(ORIGIN);
  });

  it('is shut for tokens that are forged, of another site, or none', async () => {
    const { token } = await visitor().session;
    const stranger = (await begin({ site: 'blog' }, { origin: 'https://blog.example' })).body.token as string;
    for (const wrong of [`${token}x`, token.replace(/^./, 'x'), 'a.b', '', stranger]) {
      const { say, closed, frames } = await rawSocket();
      say({ token: wrong });
      expect(await closed).toEqual([4401, 'session.invalid']);
      expect(frames).toMatchObject([{ error: { code: 'session.invalid' } }]);
      if (wrong !== stranger) {
        for (const method of ['GET', 'POST']) {
          const asked = services.request(method, '/chat/v1/messages', method === 'POST' ? { cid: 'c', text: 'x' } : undefined, wrong);
          expect(await asked).toMatchObject({ status: 401, body: { title: 'session.invalid' } });
        }
      }
    }
    expect(await services.request('GET', '/chat/v1/messages', undefined, token, { origin: 'https://blog.example' })).toMatchObject({ status: 403 });
  });

  it('has room for ten sockets of a session', async () => {
    const { token } = await visitor().session;
    const open = await Promise.all(
      Array.from({ length: 10 }, async () => {
        const tab = await rawSocket();
        tab.say({ token });
        await eventually(() => expect(tab.frames).toHaveLength(1));
        return tab;
      }),
    );
    const eleventh = await rawSocket();
    eleventh.say({ token });
    expect(await eleventh.closed).toEqual([4429, 'session.too_many_sockets']);
    open[0]!.socket.close();
    await open[0]!.closed;
    await eventually(async () => {
      const again = await rawSocket();
      again.say({ token });
      await eventually(() => expect(again.frames).toMatchObject([{ welcome: {} }]));
      again.socket.terminate();
    });
    for (const { socket } of open) socket.terminate();
  });
});

describe('bad frames', () => {
  it('are answered, and the socket lives', async () => {
    const { token } = await visitor().session;
    const { say, frames, socket } = await rawSocket();
    for (const frame of [
      '{',
      { cid: 'c-0', text: 'too soon' },
      { token },
      '',
      { hello: 1 },
      { cid: 'c-1', text: '' },
      { token },
      { ping: 7 },
      { cid: 'c-2', text: 'good' },
    ])
      say(frame);
    await eventually(() => expect(frames).toHaveLength(10));
    expect(
      frames.map(
        ({ error, ack, pong, welcome, message }) =>
          (error as { code: string } | undefined)?.code ?? ack ?? pong ?? (welcome ? 'welcome' : message ? 'message' : ''),
      ),
    ).toEqual(
      expect.arrayContaining(['frame.malformed', 'session.missing', 'welcome', 'frame.unknown', 'frame.invalid', 'session.known', 7, 'c-2', 'message']),
    );
    socket.terminate();
  });

  it.each([
    ['too large', 1009, (socket: WebSocket) => socket.send(JSON.stringify({ cid: 'c', text: 'x'.repeat(64 * 1024) }))],
    ['binary', 1003, (socket: WebSocket) => socket.send(Buffer.from('{"cid":"c","text":"x"}'), { binary: true })],
    ['not UTF-8', 1007, (socket: WebSocket) => socket.send(Buffer.from([0xff, 0xfe, 0xff]), { binary: false })],
  ])('that are %s end the connection with %d', async (_, code, sendBad) => {
    const { token } = await visitor().session;
    const { say, socket, closed } = await rawSocket();
    say({ token });
    sendBad(socket);
    expect((await closed)[0]).toBe(code);
  });
});

describe('HTTP, where there are no WebSockets', () => {
  it('takes and gives the same', async () => {
    const ann = visitor();
    const { token } = await ann.session;
    const ask = (method: string, path: string, body?: unknown) => services.request(method, `/chat/v1/messages${path}`, body, token);
    await ann.send('by socket', 'c-1');
    expect(await ask('POST', '', { cid: 'c-1', text: 'by socket' })).toMatchObject({ status: 200, body: { ack: 'c-1', seq: 1 } });
    expect(await ask('POST', '', { cid: 'c-2', text: 'by HTTP' })).toMatchObject({ status: 200, body: { ack: 'c-2', seq: 2 } });
    expect(await ask('POST', '', { cid: 'c-2', text: 'something else' })).toMatchObject({ status: 422, body: { title: 'cid.reused' } });
    expect(await ask('POST', '', { cid: 'c-3', text: '' })).toMatchObject({ status: 422 });
    await answer(ann, 'answer');
    await eventually(() => expectWhole(ann, 3));
    expect((await ask('GET', '?since=1')).body).toMatchObject({
      since: 1,
      messages: [
        { seq: 2, text: 'by HTTP' },
        { seq: 3, from: 'agent' },
      ],
    });
    expect((await ask('GET', '')).body).toEqual({ since: 0, messages: ann.received });
    expect((await ask('GET', '?since=99')).body).toMatchObject({ since: 0, messages: [{ seq: 1 }, { seq: 2 }, { seq: 3 }] });
    expect(await ask('GET', '?since=x')).toMatchObject({ status: 422 });
  });

  it('says when to come again', async () => {
    const { token } = await visitor().session;
    const answers = await Promise.all(Array.from({ length: 60 }, () => services.request('GET', '/chat/v1/messages', undefined, token)));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]).toMatchObject({ body: { title: 'rate.limited' } });
    expect(refused[0]!.headers.get('retry-after')).toBe('1');
  });
});

describe('a file', () => {
  it('is uploaded, said, and read again by the visitor alone', async () => {
    const ann = visitor();
    const { token } = await ann.session;
    const put = (body: string, who: string) =>
      services.request('POST', `/chat/v1/uploads?filename=${encodeURIComponent('../my parcel.svg')}`, body, who, { 'content-type': 'image/svg+xml' });
    const { status, body } = await put('<svg/>', token);
    expect([status, body]).toEqual([201, { upload: expect.any(String), filename: 'my parcel.svg', mediaType: 'image/svg+xml', bytes: 6 }]);
    const { id } = await ann.send('', 'c-1', [body.upload as string]);
    const [contact] = await contactsOf(ann);
    expect(contact!.attachments).toMatchObject([{ filename: 'my parcel.svg', mediaType: 'image/svg+xml', bytes: 6, disposition: 'attachment' }]);
    await eventually(() =>
      expect(ann.received[0]!.attachments).toEqual([{ id: contact!.attachments[0]!.id, filename: 'my parcel.svg', mediaType: 'image/svg+xml', bytes: 6 }]),
    );
    const path = `/chat/v1/messages/${id}/attachments/${contact!.attachments[0]!.id}`;
    const read = await services.request('GET', path, undefined, token);
    expect([read.status, read.body, read.headers.get('content-type'), read.headers.get('content-disposition')]).toEqual([
      200,
      '<svg/>',
      'application/octet-stream',
      'attachment; filename="my parcel.svg"',
    ]);
    const stranger = await visitor().session;
    expect(await services.request('GET', path, undefined, stranger.token)).toMatchObject({ status: 404 });
    await expect(visitor({ session: stranger }).send('mine', 'c-1', [body.upload as string])).rejects.toMatchObject({ code: 'attachment.unknown' });
    expect(await put('', token)).toMatchObject({ status: 400 });
  });
});
