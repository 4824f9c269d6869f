import { createHash, randomUUID } from 'node:crypto';
import type { Contact } from '@tierline/events';
import pg from 'pg';
import { contactOf } from './contacts.ts';

const BATCH = 500;

const TABLES = `
CREATE TABLE raw (id uuid PRIMARY KEY, dedupe_key text UNIQUE, body bytea NOT NULL);
CREATE TABLE event (topic text, pos bigint, key text, payload text, PRIMARY KEY (topic, pos));
CREATE TABLE position (grp text PRIMARY KEY, pos bigint NOT NULL);
CREATE TABLE customer (id uuid PRIMARY KEY, address text UNIQUE);
CREATE TABLE ticket (id uuid PRIMARY KEY, number bigint GENERATED ALWAYS AS IDENTITY, customer uuid, subject text, status text);
CREATE TABLE message (id uuid PRIMARY KEY, ticket uuid, dedupe_key text UNIQUE, body text);
CREATE TABLE waiting (ticket uuid PRIMARY KEY, queue text, since timestamptz);
CREATE TABLE clock (id uuid PRIMARY KEY, ticket uuid, metric text, due_at timestamptz);
CREATE TABLE timer (name text PRIMARY KEY, due_at timestamptz, data text);
CREATE INDEX timer_due ON timer (due_at);
INSERT INTO position VALUES ('tickets', 0), ('routing', 0), ('escalation', 0);`;

/** What a stage tells the next: the JSON of an event, under its key. */
export interface BareEvent {
  readonly key: string;
  readonly payload: string;
}

interface Opened {
  readonly ticketId: string;
  readonly contactId: string;
}

/**
 * The line by hand on one connection: the same durable rows (raw payload, customer, ticket, message, waiting, two clocks, two timers, four events), a
 * transaction for each stage of a batch, without a schema, a guard, a retry, a lease, or a second reader.
 */
export class BareLine {
  private readonly ends = new Map<string, number>();

  private constructor(private readonly client: pg.Client) {}

  /** On a new database; the first one makes the tables. */
  static async open(url: string, { isFirst = true } = {}): Promise<BareLine> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    if (isFirst) await client.query(TABLES);
    return new BareLine(client);
  }

  async close(): Promise<void> {
    await this.client.end();
  }

  /** Takes contacts through all stages; each stage reads back what the one before it has written. */
  async run(contacts: readonly Contact[]): Promise<void> {
    await this.keep(contacts);
    await this.openTickets(await this.readBack('contact', contacts.length));
    const opened = await this.readBack('ticket', contacts.length);
    await this.queue(opened);
    await this.startClocks(await this.readBack('ticket', contacts.length));
  }

  async keep(contacts: readonly Contact[]): Promise<BareEvent[]> {
    return this.transaction(undefined, contacts.length, async () => {
      await this.query('raw', 'INSERT INTO raw SELECT * FROM unnest($1::uuid[], $2::text[], $3::bytea[])', [
        contacts.map(({ id }) => id),
        contacts.map(({ dedupeKey }) => dedupeKey),
        contacts.map(({ text }) => Buffer.from(text!)),
      ]);
      return this.append(
        'contact',
        contacts.map((contact) => eventOf('contact.received', contact.conversationKey, contact)),
      );
    });
  }

  async openTickets(events: readonly BareEvent[]): Promise<BareEvent[]> {
    const tickets = dataOf<Contact>(events).map((contact) => ({ ticketId: randomUUID(), customerId: randomUUID(), contact }));
    return this.transaction('tickets', events.length, async () => {
      await this.query('customer', 'INSERT INTO customer SELECT * FROM unnest($1::uuid[], $2::text[]) ON CONFLICT DO NOTHING', [
        tickets.map(({ customerId }) => customerId),
        tickets.map(({ contact }) => contact.from.normalized),
      ]);
      await this.query(
        'ticket',
        `INSERT INTO ticket (id, customer, subject, status) SELECT i, c, s, 'new' FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS t(i, c, s)`,
        [tickets.map(({ ticketId }) => ticketId), tickets.map(({ customerId }) => customerId), tickets.map(({ contact }) => contact.subject)],
      );
      await this.query('message', 'INSERT INTO message SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[])', [
        tickets.map(() => randomUUID()),
        tickets.map(({ ticketId }) => ticketId),
        tickets.map(({ contact }) => contact.dedupeKey),
        tickets.map(({ contact }) => contact.text),
      ]);
      return this.append(
        'ticket',
        tickets.map(({ ticketId, contact }) =>
          eventOf('ticket.opened', ticketId, { ticketId, contactId: contact.id, subject: contact.subject, preview: contact.text }),
        ),
      );
    });
  }

  async queue(events: readonly BareEvent[]): Promise<BareEvent[]> {
    const opened = dataOf<Opened>(events);
    return this.transaction('routing', events.length, async () => {
      await this.query('waiting', `INSERT INTO waiting SELECT t, 'general', now() FROM unnest($1::uuid[]) t`, [opened.map(({ ticketId }) => ticketId)]);
      return this.append(
        'work',
        opened.map((ticket) => eventOf('ticket.queued', 'main', { ...ticket, queue: 'general' })),
      );
    });
  }

  async startClocks(events: readonly BareEvent[]): Promise<BareEvent[]> {
    const opened = dataOf<Opened>(events);
    const clocks = opened.flatMap(({ ticketId }) => ['first_response', 'resolution'].map((metric) => ({ clockId: randomUUID(), ticketId, metric })));
    const dueAt = new Date(Date.now() + 3_600_000);
    return this.transaction('escalation', events.length, async () => {
      await this.query('clock', 'INSERT INTO clock SELECT c, t, m, $4 FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS x(c, t, m)', [
        clocks.map(({ clockId }) => clockId),
        clocks.map(({ ticketId }) => ticketId),
        clocks.map(({ metric }) => metric),
        dueAt,
      ]);
      await this.query('timer', 'INSERT INTO timer SELECT c, $2, d FROM unnest($1::text[], $3::text[]) AS x(c, d)', [
        clocks.map(({ clockId }) => clockId),
        dueAt,
        clocks.map((clock) => JSON.stringify(clock)),
      ]);
      return this.append(
        'clock',
        opened.map((ticket) => eventOf('clock.started', ticket.ticketId, { ...ticket, clocks: 2 })),
      );
    });
  }

  private async transaction<T>(group: string | undefined, count: number, work: () => Promise<T>): Promise<T> {
    await this.client.query('BEGIN');
    if (group !== undefined) await this.query('move', 'UPDATE position SET pos = pos + $2 WHERE grp = $1', [group, count]);
    const result = await work();
    await this.client.query('COMMIT');
    return result;
  }

  private async append(topic: string, events: readonly BareEvent[]): Promise<BareEvent[]> {
    const end = this.ends.get(topic) ?? 0;
    this.ends.set(topic, end + events.length);
    await this.query('append', 'INSERT INTO event SELECT $1, $2::bigint + o, k, p FROM unnest($3::text[], $4::text[]) WITH ORDINALITY AS e(k, p, o)', [
      topic,
      end,
      events.map(({ key }) => key),
      events.map(({ payload }) => payload),
    ]);
    return [...events];
  }

  private async readBack(topic: string, count: number): Promise<BareEvent[]> {
    const { rows } = await this.query<BareEvent>('read', 'SELECT key, payload FROM event WHERE topic = $1 AND pos > $2 ORDER BY pos', [
      topic,
      this.ends.get(topic)! - count,
    ]);
    return rows;
  }

  private query<Row extends object>(name: string, text: string, values: unknown[]): Promise<pg.QueryResult<Row>> {
    return this.client.query<Row>({ name, text, values });
  }
}

/** Contacts a second through a bare line of its own, in batches as full as ours. */
export async function bareLine(url: string, contacts: number): Promise<number> {
  const line = await BareLine.open(url);
  const start = performance.now();
  for (let from = 0; from < contacts; from += BATCH) await line.run(Array.from({ length: BATCH }, (_, n) => contactOf(from + n)));
  const perSecond = (contacts / (performance.now() - start)) * 1000;
  await line.close();
  return perSecond;
}

const dataOf = <T>(events: readonly BareEvent[]): T[] => events.map(({ payload }) => (JSON.parse(payload) as { data: T }).data);

function eventOf(type: string, key: string, data: unknown): BareEvent {
  return { key, payload: JSON.stringify({ specversion: '1.0', id: idFrom(type), type, source: 'bare', time: new Date().toISOString(), data }) };
}

/** As dear as the id that the real log derives. */
function idFrom(type: string): string {
  return createHash('sha1').update(type).update(String(Math.random())).digest('hex');
}
