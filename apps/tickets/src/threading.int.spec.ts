import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ContactReceived, newId, type Contact, type Event, type Party, type TicketOpened } from '@tierline/events';
import { LogTransaction } from '@tierline/log';
import { emailParty, eventually, freshDatabase, runServices, sampleContact, type RunningServices } from '@tierline/testing';
import { ThreadingService } from './threading.service.ts';
import { ticketsService } from './tickets.module.ts';

describe('contacts become tickets', () => {
  let services: RunningServices;
  beforeAll(async () => {
    services = await runServices([ticketsService]);
  });
  afterAll(() => services.stop());
  beforeEach(() =>
    query('TRUNCATE tickets.ticket, tickets.conversation, tickets.message, tickets.identity, tickets.customer, tickets.timeline_entry, tickets.configuration'),
  );

  const query = <Row>(sql: string, parameters?: unknown[]): Promise<Row[]> => services.log.dataSource.query<Row[]>(sql, parameters);

  /** Appends contacts as one batch, and waits until they are messages. Answers with the ticket of each. */
  async function receive(...contacts: Contact[]): Promise<(string | null)[]> {
    await services.log.transaction('test', async (tx) => {
      for (const contact of contacts) tx.append(ContactReceived, contact.conversationKey, contact);
    });
    return eventually(async () => {
      const rows = await query<{ dedupe_key: string; ticket_id: string | null }>('SELECT dedupe_key, ticket_id FROM tickets.message');
      const found = new Map(rows.map((row) => [row.dedupe_key, row.ticket_id]));
      return contacts.every(({ dedupeKey }) => found.has(dedupeKey)) && contacts.map(({ dedupeKey }) => found.get(dedupeKey)!);
    });
  }

  const eventsOf = async (...tickets: (string | null)[]): Promise<Event[]> => (await services.events('ticket')).filter(({ key }) => tickets.includes(key));
  const typesOf = async (ticket: string | null): Promise<string[]> => (await eventsOf(ticket)).map(({ type }) => type);
  const openingOf = async (ticket: string | null): Promise<TicketOpened['data']> =>
    (await eventsOf(ticket)).find(({ type }) => type === 'ticket.opened')!.data as TicketOpened['data'];
  const ticketOf = async (id: string | null): Promise<Record<string, unknown>> =>
    (await services.request<Record<string, unknown>>('GET', `/tickets/v1/tickets/${id}`)).body;
  const patch = (id: string | null, body: object): Promise<unknown> => services.request('PATCH', `/tickets/v1/tickets/${id}`, body);
  const count = async (table: string): Promise<number> => Number((await query<{ count: string }>(`SELECT count(*) FROM tickets.${table}`))[0]!.count);

  it('opens a ticket, keeps the message in full and tells what the line needs', async () => {
    const text = `Long story.\n${'x'.repeat(30_000)}`;
    const replyTo = emailParty('ann.home@example.org');
    const contact = sampleContact({
      text,
      html: '<p>Long story.</p>',
      replyTo,
      brand: 'acme',
      priority: 'high',
      language: { code: 'en', confidence: 1, reliable: true },
    });
    const [ticket] = await receive(contact);

    const opening = await openingOf(ticket!);
    expect(opening).toEqual({
      ticketId: ticket,
      number: opening.number,
      contactId: contact.id,
      messageId: contact.id,
      channel: 'email',
      accountRef: 'support@acme.example',
      brand: 'acme',
      conversationKey: contact.conversationKey,
      customerId: opening.customerId,
      replyTo,
      subject: 'The bill is wrong',
      preview: text.slice(0, 500),
      language: 'en',
      status: 'new',
      priority: 'high',
      labels: [],
      tier: 1,
      silent: false,
      occurredAt: contact.occurredAt,
      openedAt: opening.openedAt,
    });
    expect(await ticketOf(ticket!)).toMatchObject({
      number: opening.number,
      status: 'new',
      subject: 'The bill is wrong',
      customer: { id: opening.customerId },
    });
    const message = await services.request('GET', `/tickets/v1/tickets/${ticket}/messages/${contact.id}`);
    expect(message.body).toMatchObject({ text, html: '<p>Long story.</p>', sender: contact.from, replyTo, rawRef: contact.raw.ref });
  });

  it('keeps parent and reply, and all of one conversation, together when they come in one batch', async () => {
    const conversationKey = `email:support@acme.example:${newId()}`;
    const other = sampleContact();
    const tickets = await receive(
      sampleContact({ conversationKey, text: 'first' }),
      sampleContact({ conversationKey, text: 'second' }),
      other,
      sampleContact({ conversationKey, text: 'third' }),
    );
    expect(new Set(tickets).size).toBe(2);
    expect(tickets[1]).toBe(tickets[0]);
    expect(tickets[3]).toBe(tickets[0]);
    expect((await eventsOf(tickets[0]!)).map(({ type, data }) => [type, (data as { preview: string }).preview])).toEqual([
      ['ticket.opened', 'first'],
      ['ticket.replied', 'second'],
      ['ticket.replied', 'third'],
    ]);
  });

  it('makes one customer of a new sender who writes several times in one batch', async () => {
    const from = emailParty('new@example.org');
    const tickets = await receive(sampleContact({ from }), sampleContact({ from }), sampleContact({ from }));
    expect(new Set(tickets).size).toBe(3);
    expect(await count('customer')).toBe(1);
    expect(await count('identity')).toBe(1);
  });

  it('drops what is repeated, in one batch and later', async () => {
    const contact = sampleContact();
    const [ticket] = await receive(contact, { ...contact, id: newId() }, sampleContact());
    await receive({ ...contact, id: newId() }, sampleContact());
    expect(await count('message')).toBe(3);
    expect(await typesOf(ticket!)).toEqual(['ticket.opened']);
  });

  it('takes the same key in another account for another contact', async () => {
    const contact = sampleContact();
    const tickets = await receive(contact, sampleContact({ dedupeKey: contact.dedupeKey, accountRef: 'sales@acme.example' }));
    expect(await count('message')).toBe(2);
    expect(tickets).toHaveLength(2);
  });

  it('takes as many statements for a hundred contacts as for two', async () => {
    const threading = services.app.get(ThreadingService);
    const statements = async (contacts: Contact[]): Promise<number> => {
      const spy = jest.spyOn(LogTransaction.prototype, 'query');
      await services.log.transaction('test', (tx) => threading.thread(contacts.map(received), tx));
      const { length } = spy.mock.calls;
      spy.mockRestore();
      return length;
    };
    const conversation = (): Contact[] => {
      const from = emailParty(`${newId()}@example.org`);
      const first = sampleContact({ from });
      return [first, sampleContact({ from, conversationKey: first.conversationKey })];
    };
    const few = await statements(conversation());
    expect(await statements(Array.from({ length: 50 }, conversation).flat())).toBe(few);
    expect(few).toBeLessThanOrEqual(10);
  });

  it('makes 10 customers of 80 contacts of 10 new senders that 8 processes handle at the same time', async () => {
    const threading = services.app.get(ThreadingService);
    const contacts = Array.from({ length: 80 }, (_, i) => sampleContact({ from: emailParty(`sender${i % 10}@example.org`) }));
    const shares = Array.from({ length: 8 }, (_, share) => contacts.filter((_, i) => i % 8 === share));
    await Promise.all(
      shares.map((share, i) => services.log.transaction(`test${i}`, (tx) => threading.thread((i % 2 ? share : share.reverse()).map(received), tx))),
    );
    expect(await count('customer')).toBe(10);
    expect(await count('identity')).toBe(10);
    expect(await count('ticket')).toBe(80);
    expect(await count('message')).toBe(80);
    const perCustomer = await query<{ count: string }>('SELECT count(*) FROM tickets.ticket GROUP BY customer_id');
    expect(perCustomer.map(({ count: tickets }) => tickets)).toEqual(Array(10).fill('8'));
    const opened = await services.events('ticket');
    expect(contacts.filter(({ id }) => opened.filter(({ data }) => (data as TicketOpened['data']).contactId === id).length !== 1)).toEqual([]);
  });

  describe('the sender', () => {
    it('is one customer under one address, vouched for or not', async () => {
      const tickets = await receive(sampleContact({ from: emailParty('Ann@example.org', false) }));
      expect(await query('SELECT verified FROM tickets.identity')).toEqual([{ verified: false }]);
      tickets.push(...(await receive(sampleContact({ from: { ...emailParty('ann@example.org'), display: 'Ann Lee' } }))));
      tickets.push(...(await receive(sampleContact({ from: emailParty('ann@example.org', false) }))));
      const openings = await Promise.all(tickets.map(openingOf));
      expect(new Set(openings.map(({ customerId }) => customerId)).size).toBe(1);
      expect(await query('SELECT verified FROM tickets.identity')).toEqual([{ verified: true }]);
    });

    it('is nobody known when nothing is known', async () => {
      const nobody: Party = { type: 'anonymous', value: '', normalized: '', verified: false };
      const first = sampleContact({ from: nobody });
      const tickets = await receive(first, sampleContact({ from: nobody, conversationKey: first.conversationKey }), sampleContact({ from: nobody }));
      expect(tickets[1]).toBe(tickets[0]);
      expect(await count('customer')).toBe(2);
    });

    it('gets a ticket of their own when they write into the conversation of somebody else, and stays in it', async () => {
      const first = sampleContact();
      const { conversationKey } = first;
      const from = emailParty('eve@example.org');
      const [anns] = await receive(first);
      const [eves, again] = await receive(sampleContact({ conversationKey, from }), sampleContact({ conversationKey, from }));
      expect(eves).not.toBe(anns);
      expect(again).toBe(eves);
      expect(await ticketOf(eves!)).toMatchObject({ relatedTo: anns });
      expect(await receive(sampleContact({ conversationKey, from }), sampleContact({ conversationKey }))).toEqual([eves, anns]);
    });

    it('is not believed when the channel says that it is forged', async () => {
      const first = sampleContact();
      const [ticket] = await receive(first);
      const [forged] = await receive(sampleContact({ conversationKey: first.conversationKey, auth: { verdict: 'failed', method: 'dmarc' } }));
      expect(forged).not.toBe(ticket);
      expect(await ticketOf(forged!)).toMatchObject({ relatedTo: ticket });
    });

    it('belongs to the ticket of a signed token, from then on also without it', async () => {
      const [ticket] = await receive(sampleContact());
      const from = emailParty('bob@example.org');
      const withToken = sampleContact({ from, threading: { ticketId: ticket!, parents: [] } });
      expect(await receive(withToken)).toEqual([ticket]);
      expect(await receive(sampleContact({ from, conversationKey: withToken.conversationKey }))).toEqual([ticket]);
      expect((await ticketOf(ticket!))['participants']).toHaveLength(2);
    });

    it.each(['not-a-ticket', newId()])('opens a ticket when the token names none: %s', async (ticketId) => {
      const [ticket] = await receive(sampleContact({ threading: { ticketId, parents: [] } }));
      expect(await typesOf(ticket!)).toEqual(['ticket.opened']);
    });
  });

  describe('a ticket that waits or is done', () => {
    it.each(['pending', 'on_hold', 'solved'] as const)('is open again when its customer writes: %s', async (status) => {
      const first = sampleContact();
      const [ticket] = await receive(first);
      await patch(ticket!, { status });
      await receive(sampleContact({ conversationKey: first.conversationKey }), sampleContact({ conversationKey: first.conversationKey }));
      expect(await ticketOf(ticket!)).toMatchObject({ status: 'open', solvedAt: null });
      const events = await eventsOf(ticket!);
      expect(events.map(({ type }) => type)).toEqual(['ticket.opened', 'ticket.changed', 'ticket.replied', 'ticket.changed', 'ticket.replied']);
      expect(events[3]!.data).toMatchObject({ status: { from: status, to: 'open' }, by: { kind: 'customer' } });
    });

    it('is continued by a new ticket when it was solved too long ago', async () => {
      await services.request('PUT', '/tickets/v1/configuration', { reopenWindow: '0s' });
      const first = sampleContact();
      const { conversationKey } = first;
      const [ticket] = await receive(first);
      await patch(ticket!, { status: 'solved' });
      const [followUp] = await receive(sampleContact({ conversationKey }));
      expect(await openingOf(followUp!)).toMatchObject({ followUpOf: ticket });
      expect(await ticketOf(ticket!)).toMatchObject({ status: 'solved' });
      expect(await receive(sampleContact({ conversationKey }))).toEqual([followUp]);
    });

    it('is continued by one new ticket when it is closed, also for those who hold its token', async () => {
      const first = sampleContact();
      const { conversationKey } = first;
      const [ticket] = await receive(first);
      await patch(ticket!, { status: 'closed' });
      const threading = { ticketId: ticket!, parents: [] };
      const [followUp, again] = await receive(sampleContact({ conversationKey, threading }), sampleContact({ conversationKey, threading }));
      expect(await openingOf(followUp!)).toMatchObject({ followUpOf: ticket });
      expect(again).toBe(followUp);
    });

    it('stays as it is when a machine answers', async () => {
      const first = sampleContact();
      const [ticket] = await receive(first);
      const threading = { ticketId: ticket!, parents: [] };
      for (const status of ['solved', 'closed']) {
        await patch(ticket!, { status });
        expect(await receive(sampleContact({ threading, flags: { autoReply: true } }))).toEqual([ticket]);
        expect(await ticketOf(ticket!)).toMatchObject({ status });
      }
      expect((await eventsOf(ticket!)).filter(({ type }) => type === 'ticket.replied').map(({ data }) => data)).toMatchObject([
        { automatic: true },
        { automatic: true },
      ]);
    });
  });

  it('makes a quiet ticket of a bounce that belongs nowhere', async () => {
    const [ticket] = await receive(sampleContact({ flags: { bounce: true }, subject: 'Undelivered Mail Returned to Sender' }));
    expect(await openingOf(ticket!)).toMatchObject({ silent: true, priority: 'low', labels: ['bounce'] });
  });

  describe('calls', () => {
    const call = (conversationKey: string, state: string, given: Partial<Contact> = {}): Contact =>
      sampleContact({ kind: 'call', channel: 'phone', conversationKey, call: { state }, text: undefined, subject: undefined, ...given });

    it('have one message, which shows the latest state in whatever order the states come', async () => {
      const first = call(`phone:${newId()}`, 'ringing');
      const later = (state: string, revision: number): Contact => call(first.conversationKey, state, { revisionOf: first.dedupeKey, revision });
      const [ticket] = await receive(first, later('in-progress', 1));
      await receive(later('completed', 3));
      expect(await receive(later('transferred', 2))).toEqual([ticket]);
      expect(await typesOf(ticket!)).toEqual(['ticket.opened']);
      expect(await query('SELECT call, revision FROM tickets.message WHERE id = $1', [first.id])).toEqual([{ call: { state: 'completed' }, revision: 3 }]);
      expect(await query('SELECT 1 FROM tickets.message WHERE revises = $1', [first.id])).toHaveLength(3);
    });

    it('are not changed again by a state that is repeated', async () => {
      const first = call(`phone:${newId()}`, 'ringing');
      const ended = call(first.conversationKey, 'completed', { revisionOf: first.dedupeKey });
      await receive(first, ended, { ...ended, id: newId() });
      expect(await query('SELECT call, revision FROM tickets.message WHERE id = $1', [first.id])).toEqual([{ call: { state: 'completed' }, revision: 1 }]);
    });

    it('open a ticket when a later state is the first thing we hear, and the call itself joins it', async () => {
      const first = call(`phone:${newId()}`, 'ringing');
      const [ticket, same] = await receive(call(first.conversationKey, 'completed', { revisionOf: first.dedupeKey, revision: 3 }), first);
      expect(same).toBe(ticket);
      expect(await typesOf(ticket!)).toEqual(['ticket.opened', 'ticket.replied']);
    });
  });

  it.each(['status', 'update', 'reaction', 'system'] as const)(
    'keeps a contact of kind %s with the ticket of its conversation, or without one',
    async (kind) => {
      const first = sampleContact();
      const [ticket] = await receive(first);
      expect(await receive(sampleContact({ kind, conversationKey: first.conversationKey }), sampleContact({ kind }))).toEqual([ticket, null]);
      expect(await typesOf(ticket!)).toEqual(['ticket.opened']);
      expect(await count('ticket')).toBe(1);
    },
  );

  it('sets a contact aside that cannot be stored, and lets the others flow', async () => {
    const poison = sampleContact({ dedupeKey: 'NUL \0' });
    await services.append(ContactReceived, poison.conversationKey, poison);
    const tickets = await receive(sampleContact(), sampleContact(), sampleContact());
    expect(new Set(tickets).size).toBe(3);
    expect(await query(`SELECT key, state, grp FROM ${services.log.schema}.retry_event`)).toEqual([
      { key: poison.conversationKey, state: 'waiting', grp: 'tickets' },
    ]);
  });
});

describe('a contact that comes again after a restart', () => {
  it('has no second effect', async () => {
    const database = await freshDatabase('tickets_restart');
    const contact = sampleContact();
    for (const accountRef of ['before@acme.example', 'after@acme.example']) {
      const services = await runServices([ticketsService], { database });
      const marker = sampleContact({ accountRef, conversationKey: contact.conversationKey });
      for (const each of [contact, marker]) await services.append(ContactReceived, each.conversationKey, { ...each, id: newId() });
      await eventually(
        async () => (await services.log.dataSource.query<unknown[]>('SELECT 1 FROM tickets.message WHERE dedupe_key = $1', [marker.dedupeKey])).length === 1,
      );
      expect(await services.log.dataSource.query('SELECT 1 FROM tickets.message WHERE dedupe_key = $1', [contact.dedupeKey])).toHaveLength(1);
      if (accountRef.startsWith('after'))
        expect((await services.events('ticket')).map(({ type }) => type)).toEqual(['ticket.opened', 'ticket.replied', 'ticket.replied']);
      await services.stop();
    }
    await database.drop();
  });
});

/** The event of a contact, as a handler gets it. */
function received(data: Contact): ContactReceived {
  return { id: newId(), type: 'contact.received', version: 1, topic: 'contact', key: data.conversationKey, time: data.receivedAt, data };
}
