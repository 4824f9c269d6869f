import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  ClockStarted,
  ContactReceived,
  EscalationRaised,
  MessageFailed,
  MessageRequested,
  MessageSent,
  newId,
  TicketAssigned,
  TicketCloseDue,
  TicketRequeued,
  TicketUnassigned,
  type Contact,
  type DataOf,
  type Event,
} from '@tierline/events';
import { emailParty, eventually, runServices, sampleContact, type Answer, type RunningServices } from '@tierline/testing';
import { ticketsService } from './tickets.module.ts';

const AT = '2025-06-02T09:00:00.000Z';

let services: RunningServices;
let ines: string;
beforeAll(async () => {
  services = await runServices([ticketsService]);
  ines = await services.tokenFor('ines', 'agent');
});
afterAll(() => services.stop());

/** What answers have in common for a test: a ticket, a reply or a problem. */
interface Shown {
  id: string;
  status: string;
  messageId: string;
  assignee: string | null;
  tier: number;
  title: string;
  mergedInto: string;
  participants: string[];
  customer: { id: string };
}
interface Page<Item> {
  items: Item[];
  next?: string;
}
interface TimelineItem {
  type: string;
  data: Record<string, unknown>;
}

/** Asks as Ines, who is an agent. */
const ask = <Body = Shown>(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer<Body>> =>
  services.request<Body>(method, `/tickets/v1/tickets${path}`, body, ines, headers);

/** Appends contacts and answers with the ticket of the last. */
async function ticketFor(...contacts: Contact[]): Promise<string> {
  for (const contact of contacts) await services.append(ContactReceived, contact.conversationKey, contact);
  return eventually(async () => {
    const rows = await services.log.dataSource.query<{ ticket_id: string }[]>('SELECT ticket_id FROM tickets.message WHERE id = ANY($1)', [
      contacts.map(({ id }) => id),
    ]);
    return rows.length === contacts.length && rows.at(-1)!.ticket_id;
  });
}

const eventsOf = async (ticket: string): Promise<Event[]> => (await services.events('ticket')).filter(({ key }) => key === ticket);
const typesOf = async (ticket: string): Promise<string[]> => (await eventsOf(ticket)).map(({ type }) => type);
const requested = async (messageId: string): Promise<Event[]> =>
  (await services.events('message')).filter(({ type, data }) => type === 'message.requested' && (data as { messageId: string }).messageId === messageId);
const timelineOf = async (ticket: string): Promise<TimelineItem[]> => (await ask<Page<TimelineItem>>('GET', `/${ticket}/timeline`)).body.items;

const assigned = (ticketId: string, agentId: string): DataOf<typeof TicketAssigned> => ({
  ticketId,
  offerId: newId(),
  agentId,
  team: 'care',
  pool: 'main',
  queue: 'general',
  tier: 1,
  waitedMs: 5,
  assignedAt: AT,
});

describe('an answer', () => {
  it('goes to the customer on the channel and in the conversation of their last message', async () => {
    const from = emailParty('cleo@example.org');
    const first = sampleContact({ from });
    const conversationKey = `chat:site:${newId()}`;
    const ticket = await ticketFor(first);
    await ticketFor(
      sampleContact({
        from,
        channel: 'chat',
        accountRef: 'site',
        conversationKey,
        subject: 'RE: Re: The bill',
        replyTo: emailParty('cleo@work.example'),
        threading: { ticketId: ticket, parents: [] },
      }),
    );
    await ticketFor(sampleContact({ from, conversationKey: first.conversationKey, flags: { autoReply: true } }));

    const { status, body } = await ask('POST', `/${ticket}/replies`, { text: 'We pay it back.', html: '<p>We pay it back.</p>', public: true });
    expect(status).toBe(201);
    expect(await requested(body.messageId)).toMatchObject([
      {
        key: conversationKey,
        data: {
          ticketId: ticket,
          channel: 'chat',
          accountRef: 'site',
          conversationKey,
          kind: 'reply',
          automatic: false,
          to: { normalized: 'cleo@work.example' },
          subject: 'Re: The bill',
          text: 'We pay it back.',
          html: '<p>We pay it back.</p>',
        },
      },
    ]);
    expect((await eventsOf(ticket)).slice(-2)).toMatchObject([
      {
        type: 'ticket.replied',
        data: { messageId: body.messageId, by: { kind: 'agent', id: 'ines' }, public: true, preview: 'We pay it back.', channel: 'chat' },
      },
      { type: 'ticket.changed', data: { status: { from: 'new', to: 'open' }, by: { kind: 'agent', id: 'ines' } } },
    ]);
  });

  it('is a note when it is not public: nobody is told, and nothing moves', async () => {
    const ticket = await ticketFor(sampleContact());
    const { body } = await ask('POST', `/${ticket}/replies`, { text: 'Known bug, see wiki.', public: false });
    expect(await requested(body.messageId)).toEqual([]);
    expect((await eventsOf(ticket)).slice(1)).toMatchObject([{ type: 'ticket.replied', data: { public: false } }]);
    expect((await ask('GET', `/${ticket}`)).body.status).toBe('new');
  });

  it('shows what became of it', async () => {
    const ticket = await ticketFor(sampleContact());
    const reply = async (): Promise<string> => (await ask('POST', `/${ticket}/replies`, { text: 'Hello', public: true })).body.messageId;
    const [sent, refused, lost, waiting] = [await reply(), await reply(), await reply(), await reply()];
    const about = { ticketId: ticket, channel: 'email', accountRef: 'support@acme.example' };
    await services.append(MessageSent, ticket, { ...about, messageId: sent, externalId: '<1@acme.example>', sentAt: AT });
    await services.append(MessageFailed, ticket, { ...about, messageId: refused, outcome: 'permanent', reason: '550 no such user', failedAt: AT });
    await services.append(MessageFailed, ticket, { ...about, messageId: lost, outcome: 'unknown', reason: 'connection lost after DATA', failedAt: AT });
    await eventually(async () => {
      const messages = new Map((await timelineOf(ticket)).flatMap(({ type, data }) => (type === 'message' ? [[data['messageId'], data['delivery']]] : [])));
      expect([sent, refused, lost, waiting].map((id) => messages.get(id))).toEqual(['sent', 'failed', 'unknown', 'requested']);
    });
  });

  it('is given once for one Idempotency-Key', async () => {
    const ticket = await ticketFor(sampleContact());
    const key = { 'idempotency-key': newId() };
    const answers = await Promise.all([1, 2, 3].map(() => ask('POST', `/${ticket}/replies`, { text: 'Once', public: true }, key)));
    expect(new Set(answers.map(({ status, body }) => `${status} ${body.messageId}`)).size).toBe(1);
    expect(await typesOf(ticket)).toEqual(['ticket.opened', 'ticket.replied', 'ticket.changed']);
    expect(await ask('POST', `/${ticket}/replies`, { text: 'Twice', public: true }, key)).toMatchObject({ status: 422, body: { title: 'idempotency.reused' } });
    expect((await services.request('POST', `/tickets/v1/tickets/${ticket}/replies`, { text: 'Twice', public: true }, undefined, key)).status).toBe(201);
  });
});

describe('changes', () => {
  it('are told once, and not when nothing changes', async () => {
    const ticket = await ticketFor(sampleContact());
    const wanted = { status: 'pending', priority: 'urgent', labels: ['refund', 'vip', 'refund'] };
    expect((await ask('PATCH', `/${ticket}`, wanted)).body).toMatchObject({ status: 'pending', priority: 'urgent', labels: ['refund', 'vip'] });
    expect((await ask('PATCH', `/${ticket}`, wanted)).status).toBe(200);
    expect((await eventsOf(ticket)).slice(1)).toMatchObject([
      {
        type: 'ticket.changed',
        data: {
          status: { from: 'new', to: 'pending' },
          priority: { from: 'normal', to: 'urgent' },
          labels: { from: [], to: ['refund', 'vip'] },
          by: { kind: 'agent', id: 'ines' },
        },
      },
    ]);
  });

  it('end with closing', async () => {
    const ticket = await ticketFor(sampleContact());
    await ask('PATCH', `/${ticket}`, { status: 'closed' });
    for (const [method, path, body] of [
      ['PATCH', '', { status: 'open' }],
      ['PATCH', '', { labels: ['late'] }],
      ['POST', '/replies', { text: 'Late', public: true }],
      ['POST', '/merge', { intoTicketId: newId() }],
    ] as const) {
      expect(await ask(method, `/${ticket}${path}`, body)).toMatchObject({ status: 409, body: { title: 'ticket.closed' } });
    }
    expect(await typesOf(ticket)).toEqual(['ticket.opened', 'ticket.changed']);
  });

  it('cannot make a ticket new again', async () => {
    const ticket = await ticketFor(sampleContact());
    await ask('PATCH', `/${ticket}`, { status: 'open' });
    expect(await ask('PATCH', `/${ticket}`, { status: 'new' })).toMatchObject({ status: 409, body: { title: 'ticket.transition' } });
  });
});

describe('a solved ticket', () => {
  const closeAfter = (duration: string): Promise<Answer> => services.request('PUT', '/tickets/v1/configuration', { closeAfter: duration });
  const timers = (ticket: string): Promise<unknown[]> =>
    services.log.dataSource.query(`SELECT name FROM ${services.log.schema}.timer WHERE name = $1`, [`ticket:${ticket}:close`]);

  it('is closed when its time has come', async () => {
    await closeAfter('1ms');
    const ticket = await ticketFor(sampleContact());
    await ask('PATCH', `/${ticket}`, { status: 'solved' });
    await eventually(async () => (await typesOf(ticket)).length === 3);
    expect((await eventsOf(ticket))[2]).toMatchObject({ data: { status: { from: 'solved', to: 'closed' }, by: { kind: 'system' } } });
    expect((await ask('GET', `/${ticket}`)).body).toMatchObject({ status: 'closed', closedAt: expect.any(String) });
    await closeAfter('28d');
  });

  it('is left alone when it was opened again', async () => {
    const ticket = await ticketFor(sampleContact());
    await ask('PATCH', `/${ticket}`, { status: 'solved' });
    expect(await timers(ticket)).toHaveLength(1);
    await ask('PATCH', `/${ticket}`, { status: 'open' });
    expect(await timers(ticket)).toEqual([]);
  });

  it('is not closed by a timer of an earlier solution', async () => {
    const ticket = await ticketFor(sampleContact());
    await ask('PATCH', `/${ticket}`, { status: 'solved' });
    await services.append(TicketCloseDue, ticket, { ticketId: ticket, solvedAt: AT });
    await services.append(TicketAssigned, ticket, assigned(ticket, 'marker'));
    await eventually(async () => (await ask('GET', `/${ticket}`)).body.assignee === 'marker');
    expect((await ask('GET', `/${ticket}`)).body.status).toBe('solved');
  });
});

describe('merging', () => {
  it('takes messages, conversations and customers over, and what is written later', async () => {
    const [ann, bob] = [emailParty('merge-ann@example.org'), emailParty('merge-bob@example.org')];
    const [first, second] = [sampleContact({ from: ann }), sampleContact({ from: bob })];
    const [source, target] = [await ticketFor(first), await ticketFor(second)];
    await ask('PATCH', `/${source}`, { status: 'solved' });
    expect(await ask('POST', `/${source}/merge`, { intoTicketId: target })).toMatchObject({ status: 201, body: { ticketId: source, intoTicketId: target } });

    expect((await ask('GET', `/${source}`)).body).toMatchObject({ status: 'closed', mergedInto: target });
    expect((await ask('GET', `/${target}`)).body.participants).toHaveLength(2);
    for (const ticket of [source, target]) {
      expect((await eventsOf(ticket)).at(-1)).toMatchObject({
        type: 'ticket.merged',
        data: { ticketId: source, intoTicketId: target, by: { kind: 'agent', id: 'ines' } },
      });
      expect((await timelineOf(ticket)).at(-1)).toMatchObject({ type: 'ticket.merged' });
    }
    expect((await timelineOf(target)).filter(({ type }) => type === 'message').map(({ data }) => data['messageId'])).toEqual([first.id, second.id]);

    const inConversation = sampleContact({ from: ann, conversationKey: first.conversationKey });
    const inTheOthers = sampleContact({ from: ann, conversationKey: second.conversationKey });
    const byToken = sampleContact({ from: emailParty('merge-eve@example.org'), threading: { ticketId: source, parents: [] } });
    expect([await ticketFor(inConversation), await ticketFor(inTheOthers), await ticketFor(byToken)]).toEqual([target, target, target]);
  });

  it('can go on: what was merged into the first reaches the last', async () => {
    const contacts = [1, 2, 3].map((i) => sampleContact({ from: emailParty(`chain${i}@example.org`) }));
    const [a, b, c] = [await ticketFor(contacts[0]!), await ticketFor(contacts[1]!), await ticketFor(contacts[2]!)];
    await ask('POST', `/${a}/merge`, { intoTicketId: b });
    await ask('POST', `/${b}/merge`, { intoTicketId: c });
    expect((await ask('GET', `/${a}`)).body.mergedInto).toBe(c);
    expect(await ticketFor(sampleContact({ threading: { ticketId: a, parents: [] } }))).toBe(c);
  });

  it('is refused with itself, with what is over, and with what is not there', async () => {
    const [ticket, other, closed] = [await ticketFor(sampleContact()), await ticketFor(sampleContact()), await ticketFor(sampleContact())];
    await ask('PATCH', `/${closed}`, { status: 'closed' });
    await ask('POST', `/${other}/merge`, { intoTicketId: ticket });
    const merge = async (from: string, intoTicketId: string): Promise<unknown[]> => {
      const { status, body } = await ask('POST', `/${from}/merge`, { intoTicketId });
      return [status, body.title];
    };
    expect(await merge(ticket, ticket)).toEqual([422, 'ticket.merge_itself']);
    expect(await merge(ticket, ticket.toUpperCase())).toEqual([422, 'ticket.merge_itself']);
    expect(await merge(ticket, closed)).toEqual([409, 'ticket.closed']);
    expect(await merge(ticket, other)).toEqual([409, 'ticket.merged']);
    expect(await merge(other, ticket)).toEqual([409, 'ticket.merged']);
    expect(await merge(ticket, newId())).toEqual([404, 'ticket.not_found']);
  });
});

describe('what the rest of the line does', () => {
  it('is kept with the ticket: who has it, and at what tier', async () => {
    const ticket = await ticketFor(sampleContact());
    const shown = async (): Promise<unknown[]> => {
      const { assignee, status, tier } = (await ask('GET', `/${ticket}`)).body;
      return [assignee, status, tier];
    };
    await services.append(TicketAssigned, ticket, assigned(ticket, 'ben'));
    await eventually(async () => expect(await shown()).toEqual(['ben', 'open', 1]));
    expect((await eventsOf(ticket)).at(-1)).toMatchObject({
      type: 'ticket.changed',
      data: { status: { from: 'new', to: 'open' }, by: { kind: 'agent', id: 'ben' } },
    });

    await services.append(TicketUnassigned, ticket, { ticketId: ticket, agentId: 'ben', reason: 'escalated', unassignedAt: AT });
    await services.append(EscalationRaised, ticket, {
      escalationId: newId(),
      ticketId: ticket,
      kind: 'functional',
      fromTier: 1,
      toTier: 2,
      tierPath: [1, 2],
      reason: { code: 'agent_request', text: 'needs a look at the database' },
      priority: 'normal',
      by: { kind: 'agent', id: 'ben' },
      raisedAt: AT,
    });
    await eventually(async () => expect(await shown()).toEqual([null, 'open', 2]));

    await services.append(TicketAssigned, ticket, assigned(ticket, 'kim'));
    const requeued = { ticketId: ticket, pool: 'main', queue: 'general', reason: 'agent_offline', enqueuedAt: AT, requeuedAt: AT } as const;
    await services.append(TicketRequeued, ticket, { ...requeued, agentId: 'ben' });
    await eventually(async () => expect(await shown()).toEqual(['kim', 'open', 2]));
    await services.append(TicketRequeued, ticket, { ...requeued, agentId: 'kim' });
    await eventually(async () => expect(await shown()).toEqual([null, 'open', 2]));
  });

  it('is in the timeline, in order, page by page', async () => {
    const ticket = await ticketFor(sampleContact());
    await services.append(ClockStarted, ticket, { ticketId: ticket, policy: 'standard', policyVersion: 1, clocks: [] });
    await eventually(async () => (await timelineOf(ticket)).some(({ type }) => type === 'clock.started'));
    const messageId = newId();
    await services.append(MessageRequested, 'a conversation', {
      messageId,
      ticketId: ticket,
      channel: 'email',
      accountRef: 'support@acme.example',
      conversationKey: 'a conversation',
      kind: 'acknowledgement',
      automatic: true,
      to: emailParty('ann@example.org'),
      text: 'We have your mail.',
      attachments: [],
    });
    await eventually(async () => (await timelineOf(ticket)).some(({ type }) => type === 'message.requested'));
    await ask('POST', `/${ticket}/replies`, { text: 'Done.', public: true });
    await ask('PATCH', `/${ticket}`, { status: 'solved' });

    const types = ['ticket.opened', 'message', 'clock.started', 'message.requested', 'message', 'ticket.changed', 'ticket.changed'];
    expect((await timelineOf(ticket)).map(({ type }) => type)).toEqual(types);

    const paged: string[] = [];
    for (let cursor = ''; ;) {
      const { body } = await ask<Page<TimelineItem>>('GET', `/${ticket}/timeline?limit=2${cursor}`);
      paged.push(...body.items.map(({ type }) => type));
      if (body.next === undefined) break;
      cursor = `&cursor=${encodeURIComponent(body.next)}`;
    }
    expect(paged).toEqual(types);
  });

  it('shows the beginning of a long text and says that there is more', async () => {
    const ticket = await ticketFor(sampleContact({ text: `${'a'.repeat(20_000)}\n> quoted`, textStripped: 'a'.repeat(20_000) }));
    expect((await timelineOf(ticket))[1]!.data).toMatchObject({ text: 'a'.repeat(10_000), truncated: true });
  });
});

describe('a ticket', () => {
  it('is found by its id and by its number', async () => {
    const id = await ticketFor(sampleContact());
    const { body } = await ask<Shown & { number: number }>('GET', `/${id}`);
    expect((await ask<Shown>('GET', `/${body.number}`)).body).toEqual(body);
    for (const none of ['0', '-1', '999999999', '9'.repeat(30), '1e3', 'one']) expect((await ask('GET', `/${none}`)).status).toBe(404);
  });
});

describe('the list', () => {
  it('has the newest first, page by page, and takes filters', async () => {
    const from = emailParty('many@example.org');
    const tickets: string[] = [];
    for (let i = 0; i < 5; i++) tickets.unshift(await ticketFor(sampleContact({ from })));
    const customer = (await ask('GET', `/${tickets[0]}`)).body.customer.id;
    const ids = async (query: string): Promise<string[]> => (await ask<Page<Shown>>('GET', `?customer=${customer}${query}`)).body.items.map(({ id }) => id);

    const { body: page } = await ask<Page<Shown>>('GET', `?customer=${customer}&limit=3`);
    expect(page.items.map(({ id }) => id)).toEqual(tickets.slice(0, 3));
    expect(await ids(`&limit=3&cursor=${page.next}`)).toEqual(tickets.slice(3));

    await ask('PATCH', `/${tickets[1]}`, { status: 'solved' });
    await ask('PATCH', `/${tickets[2]}`, { status: 'pending' });
    expect(await ids('&status=solved,pending')).toEqual([tickets[1], tickets[2]]);
    await services.append(TicketAssigned, tickets[4]!, assigned(tickets[4]!, 'ada'));
    await eventually(async () => expect(await ids('&assignee=ada')).toEqual([tickets[4]]));
    expect(await ids('&assignee=none')).toEqual(tickets.slice(0, 4));
  });
});

describe('the configuration', () => {
  it('is applied once, by administrators', async () => {
    const apply = (body: unknown, token?: string): Promise<Answer> => services.request('PUT', '/tickets/v1/configuration', body, token);
    expect(await apply({ reopenWindow: '3d', closeAfter: '10d' })).toMatchObject({ status: 200, body: { changed: 2 } });
    expect(await apply({ reopenWindow: '3d', closeAfter: '10d' })).toMatchObject({ status: 200, body: { changed: 0 } });
    expect(await apply({})).toMatchObject({ status: 200, body: { changed: 2 } });
    expect(await apply({}, ines)).toMatchObject({ status: 403 });
    expect(await apply({ reopenWindow: 'soon', closeAfter: true })).toMatchObject({
      status: 422,
      body: { faults: [{ path: 'reopenWindow' }, { path: 'closeAfter' }] },
    });
  });
});

describe('the doors', () => {
  const id = newId();
  const doors = [
    ['GET', '/tickets/v1/tickets'],
    ['GET', '/tickets/v1/tickets/:id'],
    ['GET', '/tickets/v1/tickets/:id/timeline'],
    ['GET', '/tickets/v1/tickets/:id/messages/:id'],
    ['POST', '/tickets/v1/tickets/:id/replies'],
    ['PATCH', '/tickets/v1/tickets/:id'],
    ['POST', '/tickets/v1/tickets/:id/merge'],
    ['PUT', '/tickets/v1/configuration'],
  ] as const;

  it.each(doors)('%s %s lets nobody in without a token, and no client', async (method, path) => {
    const body = method === 'GET' ? undefined : {};
    expect((await services.request(method, path.replaceAll(':id', id), body, null)).status).toBe(401);
    expect((await services.request(method, path.replaceAll(':id', id), body, 'x'.repeat(43))).status).toBe(401);
    expect((await services.request(method, path.replaceAll(':id', id), body, await services.tokenFor('shop', 'client'))).status).toBe(403);
  });

  it.each([
    ['GET', '?status=lost', undefined, 422],
    ['GET', '?limit=0', undefined, 422],
    ['GET', '?limit=1000', undefined, 422],
    ['GET', '?cursor=abc', undefined, 422],
    ['GET', '?sort=number', undefined, 422],
    ['GET', '/:id', undefined, 404],
    ['GET', '/unknown', undefined, 404],
    ['GET', '/:id/timeline', undefined, 404],
    ['GET', '/:id/timeline?cursor=1', undefined, 422],
    ['GET', '/:id/messages/1', undefined, 404],
    ['POST', '/:id/replies', { text: 'Hello', public: true }, 404],
    ['POST', '/1/replies', { text: 'Hello', public: true }, 404],
    ['POST', '/:id/replies', {}, 422],
    ['POST', '/:id/replies', { text: '', public: true }, 422],
    ['POST', '/:id/replies', { text: 'Hello', public: 'yes' }, 422],
    ['POST', '/:id/replies', { text: 'NUL \0', public: true }, 422],
    ['POST', '/:id/replies', { text: 'half \ud83d', public: true }, 422],
    ['POST', '/:id/replies', '{"text": "Hel', 400],
    ['PATCH', '/:id', { status: 'solved' }, 404],
    ['PATCH', '/:id', {}, 422],
    ['PATCH', '/:id', { status: 'lost' }, 422],
    ['PATCH', '/:id', { labels: ['line\nbreak'] }, 422],
    ['PATCH', '/:id', { number: 1 }, 422],
    ['POST', '/:id/merge', { intoTicketId: '01970000-0000-7000-8000-000000000000' }, 404],
    ['POST', '/:id/merge', { intoTicketId: 'that one' }, 422],
  ] as const)('%s %s %j is answered %d', async (method, path, body, status) => {
    const answer = await ask(method, path.replaceAll(':id', id), body);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
  });

  it('refuse more text than a message takes', async () => {
    expect((await ask('POST', `/${id}/replies`, { text: 'x'.repeat(200_001), public: true })).status).toBe(422);
  });

  it('refuse a useless Idempotency-Key', async () => {
    const ticket = await ticketFor(sampleContact());
    const answer = await ask('POST', `/${ticket}/replies`, { text: 'Hello', public: true }, { 'idempotency-key': 'k'.repeat(256) });
    expect(answer).toMatchObject({ status: 422, body: { title: 'idempotency.key' } });
  });
});
