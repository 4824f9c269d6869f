import { createHash, randomUUID } from 'node:crypto';
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

/**
 * The line by hand on one connection: the same durable rows (raw payload, customer, ticket, message, waiting, two clocks, two timers, four events) in four
 * transactions for 500 contacts, without a schema, a guard, a retry, a lease, or a second reader.
 * Contacts a second.
 */
export async function bareLine(url: string, contacts: number): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(TABLES);
  const run = (name: string, text: string, values: unknown[]): Promise<unknown> => client.query({ name, text, values });
  const append = (topic: string, from: number, keys: string[], payloads: string[]): Promise<unknown> =>
    run('append', 'INSERT INTO event SELECT $1, $2::bigint + o, k, p FROM unnest($3::text[], $4::text[]) WITH ORDINALITY AS e(k, p, o)', [
      topic,
      from,
      keys,
      payloads,
    ]);
  const stage = async (group: string, to: number, work: () => Promise<void>): Promise<void> => {
    await client.query('BEGIN');
    await run('move', 'UPDATE position SET pos = $2 WHERE grp = $1', [group, to]);
    await work();
    await client.query('COMMIT');
  };
  const read = async <T>(topic: string, from: number): Promise<T[]> => {
    const { rows } = await client.query<{ payload: string }>({
      name: 'read',
      text: `SELECT payload FROM event WHERE topic = $1 AND pos > $2 ORDER BY pos LIMIT ${BATCH}`,
      values: [topic, from],
    });
    return rows.map(({ payload }) => (JSON.parse(payload) as { data: T }).data);
  };
  const event = (type: string, data: unknown): string =>
    JSON.stringify({ specversion: '1.0', id: idFrom(type), type, source: 'bare', time: new Date().toISOString(), data });

  const start = performance.now();
  for (let from = 0; from < contacts; from += BATCH) {
    const batch = Array.from({ length: BATCH }, (_, n) => contactOf(from + n));
    await client.query('BEGIN');
    await run('raw', 'INSERT INTO raw SELECT * FROM unnest($1::uuid[], $2::text[], $3::bytea[])', [
      batch.map(({ id }) => id),
      batch.map(({ dedupeKey }) => dedupeKey),
      batch.map(({ text }) => Buffer.from(text!)),
    ]);
    await append(
      'contact',
      from,
      batch.map(({ conversationKey }) => conversationKey),
      batch.map((contact) => event('contact.received', contact)),
    );
    await client.query('COMMIT');

    const received = await read<ReturnType<typeof contactOf>>('contact', from);
    const tickets = received.map((contact) => ({ ticketId: randomUUID(), customerId: randomUUID(), contact }));
    await stage('tickets', from + BATCH, async () => {
      await run('customer', 'INSERT INTO customer SELECT * FROM unnest($1::uuid[], $2::text[]) ON CONFLICT DO NOTHING', [
        tickets.map(({ customerId }) => customerId),
        tickets.map(({ contact }) => contact.from.normalized),
      ]);
      await run(
        'ticket',
        `INSERT INTO ticket (id, customer, subject, status) SELECT i, c, s, 'new' FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS t(i, c, s)`,
        [tickets.map(({ ticketId }) => ticketId), tickets.map(({ customerId }) => customerId), tickets.map(({ contact }) => contact.subject)],
      );
      await run('message', 'INSERT INTO message SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[])', [
        tickets.map(() => randomUUID()),
        tickets.map(({ ticketId }) => ticketId),
        tickets.map(({ contact }) => contact.dedupeKey),
        tickets.map(({ contact }) => contact.text),
      ]);
      await append(
        'ticket',
        from,
        tickets.map(({ ticketId }) => ticketId),
        tickets.map(({ ticketId, contact }) => event('ticket.opened', { ticketId, subject: contact.subject, preview: contact.text })),
      );
    });

    const opened = await read<{ ticketId: string }>('ticket', from);
    await stage('routing', from + BATCH, async () => {
      await run('waiting', `INSERT INTO waiting SELECT t, 'general', now() FROM unnest($1::uuid[]) t`, [opened.map(({ ticketId }) => ticketId)]);
      await append(
        'work',
        from,
        opened.map(() => 'main'),
        opened.map(({ ticketId }) => event('ticket.queued', { ticketId, queue: 'general' })),
      );
    });

    const again = await read<{ ticketId: string }>('ticket', from);
    const clocks = again.flatMap(({ ticketId }) => ['first_response', 'resolution'].map((metric) => ({ clockId: randomUUID(), ticketId, metric })));
    const dueAt = new Date(Date.now() + 3_600_000);
    await stage('escalation', from + BATCH, async () => {
      await run('clock', 'INSERT INTO clock SELECT c, t, m, $4 FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS x(c, t, m)', [
        clocks.map(({ clockId }) => clockId),
        clocks.map(({ ticketId }) => ticketId),
        clocks.map(({ metric }) => metric),
        dueAt,
      ]);
      await run('timer', 'INSERT INTO timer SELECT c, $2, d FROM unnest($1::text[], $3::text[]) AS x(c, d)', [
        clocks.map(({ clockId }) => clockId),
        dueAt,
        clocks.map((clock) => JSON.stringify(clock)),
      ]);
      await append(
        'clock',
        from,
        again.map(({ ticketId }) => ticketId),
        again.map(({ ticketId }) => event('clock.started', { ticketId, clocks: 2 })),
      );
    });
  }
  const perSecond = (contacts / (performance.now() - start)) * 1000;
  await client.end();
  return perSecond;
}

/** As dear as the id that the real log derives. */
function idFrom(type: string): string {
  return createHash('sha1').update(type).update(String(Math.random())).digest('hex');
}
