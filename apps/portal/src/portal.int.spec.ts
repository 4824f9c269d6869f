import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MessageRequested, newId, TicketChanged, TicketMerged, TicketOpened, TicketReplied, type Contact } from '@tierline/events';
import { emailParty, eventually, runServices, type Answer, type RunningServices } from '@tierline/testing';
import { portalService } from './portal.module.ts';

let services: RunningServices;
let shop: string;
let stranger: string;

beforeAll(async () => {
  services = await runServices([portalService]);
  shop = await services.tokenFor('shop', 'client');
  stranger = await services.tokenFor('stranger', 'client');
});
afterAll(() => services.stop());

const body = (text = 'Where is my parcel?') => ({ from: { type: 'email', value: 'ada@example.org', verified: true }, text });

function submit(request: unknown, key: string | undefined = newId(), token = shop): Promise<Answer> {
  return services.request('POST', '/portal/v1/contacts', request, token, key === undefined ? {} : { 'idempotency-key': key });
}

async function contacts(): Promise<Contact[]> {
  return (await services.events('contact')).map(({ data }) => data as Contact);
}

describe('a contact', () => {
  it('is answered when it is kept', async () => {
    const answer = await submit(body());
    expect(answer).toMatchObject({ status: 202, body: { contactId: expect.any(String), href: expect.any(String) } });
    expect(answer.headers.get('location')).toBe(`/portal/v1/contacts/${answer.body.contactId}`);
    expect(await contacts()).toContainEqual(
      expect.objectContaining({
        id: answer.body.contactId,
        channel: 'portal',
        text: 'Where is my parcel?',
        auth: { verdict: 'verified', method: 'token', details: { client: 'shop' } },
      }),
    );
  });

  it('can be followed to its ticket, its status and the answers', async () => {
    const { contactId, href } = (await submit({ ...body(), conversation: 'order-1' })).body as { contactId: string; href: string };
    expect((await services.request('GET', href, undefined, shop)).body).toEqual({ contactId, receivedAt: expect.any(String), messages: [] });
    const ticketId = newId();
    const at = '2026-03-01T10:00:00.000Z';
    await services.append(TicketOpened, ticketId, {
      ticketId,
      number: 17,
      contactId,
      messageId: newId(),
      channel: 'portal',
      accountRef: 'portal',
      conversationKey: 'portal:portal:shop/order-1',
      customerId: newId(),
      replyTo: emailParty('ada@example.org'),
      subject: 'Where is my parcel?',
      preview: 'Where is my parcel?',
      status: 'new',
      priority: 'normal',
      labels: [],
      tier: 1,
      silent: false,
      occurredAt: at,
      openedAt: at,
    });
    await eventually(async () => expect((await services.request('GET', href, undefined, shop)).body.ticket).toEqual({ ticketId, number: 17, status: 'new' }));

    const second = (await submit({ ...body('Any news?'), conversation: 'order-1' })).body as { contactId: string; href: string };
    await services.append(TicketReplied, ticketId, {
      ticketId,
      messageId: newId(),
      contactId: second.contactId,
      by: { kind: 'customer' },
      public: true,
      channel: 'portal',
      preview: 'Any news?',
      automatic: false,
      occurredAt: at,
    });
    await services.append(TicketChanged, ticketId, { ticketId, status: { from: 'new', to: 'open' }, by: { kind: 'system' }, occurredAt: at });
    const message = {
      messageId: newId(),
      ticketId,
      channel: 'portal',
      accountRef: 'portal',
      conversationKey: 'portal:portal:shop/order-1',
      kind: 'reply' as const,
      automatic: false,
      to: emailParty('ada@example.org'),
      text: 'It is on its way.',
      attachments: [],
    };
    await services.append(MessageRequested, message.conversationKey, message);
    await services.append(MessageRequested, message.conversationKey, message);
    await eventually(async () =>
      expect((await services.request('GET', second.href, undefined, shop)).body).toMatchObject({
        ticket: { ticketId, number: 17, status: 'open' },
        messages: [{ messageId: message.messageId, kind: 'reply', text: 'It is on its way.' }],
      }),
    );
    await eventually(async () => expect((await services.events('message')).filter(({ type }) => type === 'message.sent')).toHaveLength(1));

    const into = newId();
    await services.append(TicketMerged, ticketId, { ticketId, intoTicketId: into, by: { kind: 'agent' }, occurredAt: at });
    await eventually(async () => expect((await services.request('GET', href, undefined, shop)).body.ticket.mergedInto).toBe(into));
  });

  it('is nobody else’s to see', async () => {
    const { href } = (await submit(body())).body as { href: string };
    expect((await services.request('GET', href, undefined, stranger)).status).toBe(404);
    expect((await services.request('GET', href, undefined, await services.tokenFor('ann', 'agent'))).status).toBe(200);
    expect((await services.request('GET', href, undefined, null)).status).toBe(401);
    expect((await services.request('GET', '/portal/v1/contacts/not-a-uuid', undefined, shop)).status).toBe(400);
  });

  it('comes in through a configured account, for its brand', async () => {
    const section = { accounts: [{ name: 'acme', brand: 'Acme' }] };
    expect((await submit({ ...body(), account: 'acme' })).body.title).toBe('portal.unknown_account');
    expect((await services.request('PUT', '/portal/v1/configuration', section)).body).toEqual({ changed: 1 });
    expect((await services.request('PUT', '/portal/v1/configuration', section)).body).toEqual({ changed: 0 });
    expect((await services.request('GET', '/portal/v1/configuration')).body).toEqual(section);
    const { contactId } = (await submit({ ...body(), account: 'acme' })).body as { contactId: string };
    expect((await contacts()).find(({ id }) => id === contactId)).toMatchObject({ accountRef: 'acme', brand: 'Acme' });
  });
});

describe('an Idempotency-Key', () => {
  it('must be there', async () => {
    expect(await services.request('POST', '/portal/v1/contacts', body(), shop)).toMatchObject({ status: 400, body: { title: 'idempotency.key_missing' } });
    expect(await submit(body(), 'two words')).toMatchObject({ status: 400, body: { title: 'idempotency.key_missing' } });
  });

  it('makes a repeat be answered like the first, quoted or bare', async () => {
    const key = newId();
    const first = await submit(body('once'), key);
    const second = await submit(body('once'), `"${key}"`);
    expect(second).toMatchObject({ status: 202, body: first.body });
    expect([first, second].map(({ headers }) => headers.get('idempotency-replayed'))).toEqual([null, 'true']);
    expect((await contacts()).filter(({ text }) => text === 'once')).toHaveLength(1);
  });

  it('belongs to one body', async () => {
    const key = newId();
    await submit(body('one'), key);
    expect(await submit(body('another'), key)).toMatchObject({ status: 422, body: { title: 'idempotency.key_reused' } });
  });

  it('belongs to one client', async () => {
    const key = newId();
    const mine = await submit(body('mine'), key);
    const theirs = await submit(body('theirs'), key, stranger);
    expect(theirs.status).toBe(202);
    expect(theirs.body.contactId).not.toBe(mine.body.contactId);
  });

  it('makes one contact of 50 simultaneous requests; who comes too early is told to ask again', async () => {
    const key = newId();
    const answers = await Promise.all(Array.from({ length: 50 }, () => submit(body('in parallel'), key)));
    const accepted = answers.filter(({ status }) => status === 202);
    expect(new Set(accepted.map((answer): unknown => answer.body.contactId)).size).toBe(1);
    for (const { status, headers, body: problem } of answers.filter((answer) => answer.status !== 202)) {
      expect({ status, retryAfter: headers.get('retry-after'), title: problem.title }).toEqual({
        status: 409,
        retryAfter: '1',
        title: 'idempotency.in_progress',
      });
    }
    expect((await submit(body('in parallel'), key)).body).toEqual(accepted[0]!.body);
    expect((await contacts()).filter(({ text }) => text === 'in parallel')).toHaveLength(1);
  });

  it('of a refused request may be used again', async () => {
    const key = newId();
    expect((await submit({ text: 'nobody' }, key)).status).toBe(422);
    expect((await submit(body('somebody'), key)).status).toBe(202);
  });
});

describe('bad input', () => {
  it.each([
    ['no token', null, 401],
    ['a token of nobody', 'x'.repeat(43), 401],
  ])('%s', async (_, token, status) => {
    expect((await services.request('POST', '/portal/v1/contacts', body(), token, { 'idempotency-key': newId() })).status).toBe(status);
  });

  it.each<[string, unknown, number]>([
    ['malformed JSON', '{"from":', 400],
    ['a list', [], 422],
    ['no sender', { text: 'x' }, 422],
    ['an address that is none', { from: { type: 'email', value: 'ada' }, text: 'x' }, 422],
    ['an unknown field', { ...body(), tenant: 'x' }, 422],
    ['no text', { ...body(''), text: '' }, 422],
    ['too long a text', body('x'.repeat(100_001)), 422],
    ['an upload that does not exist', { ...body(), uploadIds: [newId()] }, 422],
    ['more than a megabyte', body('x'.repeat(1_100_000)), 413],
  ])('%s is a problem with a name', async (_, request, status) => {
    const answer = await submit(request);
    expect(answer).toMatchObject({ status, body: { status, title: expect.any(String), detail: expect.any(String) } });
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
  });

  it('names every fault at once', async () => {
    const { body: problem } = await submit({ from: { type: 'email', value: 'ada' }, priority: 'now' });
    for (const path of ['from.value', 'text', 'priority']) expect(problem.faults).toContainEqual(expect.objectContaining({ path }));
  });

  it('keeps what can be kept of NUL and half surrogates', async () => {
    const { contactId } = (await submit(`{"from":{"type":"user","value":"u\\u0000ser"},"text":"a\\u0000b\\ud800c 👍"}`)).body as { contactId: string };
    expect((await contacts()).find(({ id }) => id === contactId)).toMatchObject({ from: { value: 'user' }, text: 'abc 👍' });
  });
});

describe('an upload', () => {
  const upload = (bytes: string, headers: Record<string, string>, token = shop): Promise<Answer> =>
    services.request('POST', '/portal/v1/uploads', bytes, token, headers);

  it('becomes an attachment of the contact that names it', async () => {
    const kept = await upload('%PDF-1.7', { 'content-type': 'application/pdf', 'content-disposition': `attachment; filename="bill.pdf"` });
    expect(kept).toMatchObject({ status: 201, body: { uploadId: expect.any(String), bytes: 8 } });
    const { contactId } = (await submit({ ...body(), uploadIds: [kept.body.uploadId] })).body as { contactId: string };
    expect((await contacts()).find(({ id }) => id === contactId)!.attachments).toEqual([
      {
        id: kept.body.uploadId,
        filename: 'bill.pdf',
        mediaType: 'application/pdf',
        bytes: 8,
        sha256: kept.body.sha256,
        disposition: 'attachment',
        ref: `blob:${kept.body.sha256}`,
      },
    ]);
  });

  it('may be JSON or a form, which nobody takes apart', async () => {
    for (const type of ['application/json', 'application/x-www-form-urlencoded'])
      expect((await upload('{"a":1}', { 'content-type': type })).body.bytes).toBe(7);
  });

  it('is only for the client who sent it, and not empty', async () => {
    const { uploadId } = (await upload('x', { 'content-type': 'text/plain' })).body as { uploadId: string };
    expect((await submit({ ...body(), uploadIds: [uploadId] }, newId(), stranger)).body.title).toBe('portal.unknown_upload');
    expect((await upload('', { 'content-type': 'text/plain' })).status).toBe(400);
  });

  it('may have 25 MB and no more', async () => {
    expect((await upload('x'.repeat(25 * 1024 * 1024 + 1), { 'content-type': 'application/octet-stream' })).body.title).toBe('body.too_large');
  });
});
