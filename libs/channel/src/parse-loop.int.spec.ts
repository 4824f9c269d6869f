import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { Contact } from '@tierline/events';
import { eventually, freshDatabase, type FreshDatabase } from '@tierline/testing';
import { ProbeAdapter, rawItem } from '../test/probe-adapter.ts';
import { startProbe, type Probe } from '../test/probe.ts';

let database: FreshDatabase;
let adapter: ProbeAdapter;
let probe: Probe | undefined;

beforeEach(async () => {
  database = await freshDatabase('parse_loop');
  adapter = new ProbeAdapter();
});
afterEach(async () => {
  await probe?.stop();
  probe = undefined;
  await database.drop();
});

async function texts(): Promise<(string | undefined)[]> {
  return (await probe!.appended('contact.received')).map(({ data }) => (data as Contact).text);
}

/** An adapter that never comes back from what it is given, as a process that dies in the middle. */
function stuckAdapter(): { adapter: ProbeAdapter; reached: Promise<void>; release: () => void } {
  const stuck = new ProbeAdapter();
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const reached = new Promise<void>((resolve) => {
    stuck.normalize = async () => {
      resolve();
      await held;
      throw new Error('released');
    };
  });
  return { adapter: stuck, reached, release };
}

it('acknowledges before it parses, and makes the contacts in order of arrival', async () => {
  probe = await startProbe(database, adapter, 'deferred');
  const receipts = await probe.intake.receive(Array.from({ length: 500 }, (_, n) => rawItem(String(n), { from: 'ada', text: String(n) })));
  expect(receipts[0]).not.toHaveProperty('contact');
  await eventually(async () => expect(await texts()).toHaveLength(500));
  expect(await texts()).toEqual(Array.from({ length: 500 }, (_, n) => String(n)));
});

it('makes the contact after a crash between keeping and parsing, once', async () => {
  const { adapter: stuck, reached, release } = stuckAdapter();
  probe = await startProbe(database, stuck, 'deferred');
  const [receipt] = await probe.intake.receive([rawItem('kept', { from: 'ada', text: 'kept' })]);
  await reached;
  // The first owner is still at it when the second takes the work: what it says later must not count.
  await probe.log.dataSource.query(`DELETE FROM ${probe.log.schema}.lease WHERE name = 'parse:probe'`);
  const second = await startProbe(database, adapter, 'deferred');
  try {
    await eventually(async () => expect(await second.appended('contact.received')).toHaveLength(1));
    release();
    await probe.stop();
    expect((await second.appended('contact.received')).map(({ data }) => data)).toMatchObject([{ id: receipt!.contactId, text: 'kept', flags: {} }]);
  } finally {
    probe = second;
  }
});

it('tells a payload that kills the process from its neighbours', async () => {
  const { adapter: stuck, reached, release } = stuckAdapter();
  probe = await startProbe(database, stuck, 'deferred');
  await probe.intake.receive([rawItem('deadly', { from: 'ada', text: 'deadly' }), rawItem('good', { from: 'ada', text: 'good' })]);
  await reached;
  // As after five processes that died with both in their hands.
  await probe.log.dataSource.query('UPDATE probe.inbound SET attempts = 5');
  await probe.log.dataSource.query(`UPDATE probe.inbound SET attempts = 1 WHERE dedupe_key = 'good'`);
  await probe.log.dataSource.query(`DELETE FROM ${probe.log.schema}.lease WHERE name = 'parse:probe'`);
  const second = await startProbe(database, adapter, 'deferred');
  try {
    await eventually(async () => expect(await second.appended('contact.received')).toHaveLength(2));
    expect((await second.appended('contact.received')).map(({ data }) => (data as Contact).flags).filter((flags) => flags.unparsable)).toHaveLength(1);
  } finally {
    release();
    await probe.stop();
    probe = second;
  }
});

it('degrades what cannot be parsed, and goes on', async () => {
  probe = await startProbe(database, adapter, 'deferred');
  await probe.intake.receive([rawItem('bad', Buffer.from([0xff])), rawItem('good', { from: 'ada', text: 'good' })]);
  await eventually(async () => expect(await texts()).toHaveLength(2));
  const flags = (await probe.appended('contact.received')).map(({ data }) => (data as Contact).flags.unparsable);
  expect(flags.filter(Boolean)).toHaveLength(1);
});

it('waits for a blob store that is away instead of calling the payload unparsable', async () => {
  let away = true;
  const good = adapter.normalize;
  adapter.normalize = async (item, context) => {
    await context.saveBlob(Buffer.from('attachment'), 'text/plain');
    return good(item, context);
  };
  probe = await startProbe(database, adapter, 'deferred');
  const put = probe.blobs.put.bind(probe.blobs);
  probe.blobs.put = async (bytes) => (away ? Promise.reject(new Error('store away')) : put(bytes));
  await probe.intake.receive([rawItem('patient', { from: 'ada', text: 'patient' })]);
  await eventually(async () => {
    const [row] = await probe!.log.dataSource.query<{ state: string; attempts: number }[]>('SELECT state, attempts FROM probe.inbound');
    expect(row).toEqual({ state: 'received', attempts: 0 });
  });
  away = false;
  await eventually(async () => expect(await texts()).toEqual(['patient']));
});

it('makes a contact of a large payload whose blob is gone', async () => {
  const { adapter: stuck, reached, release } = stuckAdapter();
  probe = await startProbe(database, stuck, 'deferred');
  await probe.intake.receive([rawItem('first')]);
  await reached;
  await probe.intake.receive([rawItem('large', { from: 'ada', text: 'x'.repeat(70_000) })]);
  await probe.log.dataSource.query(`UPDATE probe.inbound SET raw_ref = 'blob:${'0'.repeat(64)}' WHERE raw IS NULL`);
  release();
  await eventually(async () => expect(await probe!.appended('contact.received')).toHaveLength(2));
});

it('keeps a contact that cannot be threaded, and its neighbours', async () => {
  probe = await startProbe(database, adapter, 'deferred', async (_, contacts) => {
    if (contacts.some(({ text }) => text === '7')) throw new Error('no such conversation');
    return Promise.resolve(contacts.map((contact) => ({ ...contact, conversationKey: 'probe:threaded' })));
  });
  await probe.intake.receive(Array.from({ length: 20 }, (_, n) => rawItem(String(n), { from: 'ada', text: String(n) })));
  await eventually(async () => expect(await probe!.appended('contact.received')).toHaveLength(20));
  const contacts = (await probe.appended('contact.received')).map(({ data }) => data as Contact);
  expect(contacts.filter(({ conversationKey }) => conversationKey === 'probe:threaded').map(({ dedupeKey }) => dedupeKey)).toEqual(
    Array.from({ length: 20 }, (_, n) => String(n)).filter((key) => key !== '7'),
  );
  expect(contacts.find(({ dedupeKey }) => dedupeKey === '7')!.flags).toEqual({ unparsable: true });
});
