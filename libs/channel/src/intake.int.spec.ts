import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Contact } from '@tierline/events';
import { freshDatabase, type FreshDatabase } from '@tierline/testing';
import { ProbeAdapter, rawItem } from '../test/probe-adapter.ts';
import { startProbe, type Probe } from '../test/probe.ts';
import type { Receipt } from './intake.ts';

let database: FreshDatabase;
let adapter: ProbeAdapter;
let probe: Probe;

beforeAll(async () => {
  database = await freshDatabase('intake');
  adapter = new ProbeAdapter();
  probe = await startProbe(database, adapter, 'inline');
});
afterAll(async () => {
  await probe.stop();
  await database.drop();
});
beforeEach(async () => {
  await probe.log.dataSource.query(`TRUNCATE probe.inbound; DELETE FROM ${probe.log.schema}.event_log`);
});

async function contacts(): Promise<Contact[]> {
  return (await probe.appended('contact.received')).map(({ data }) => data as Contact);
}

describe('inline intake', () => {
  it('has kept the raw item and appended the contact when it answers', async () => {
    const [receipt] = await probe.intake.receive([rawItem('one', { from: 'ada', text: 'hello' })]);
    expect(receipt).toMatchObject({ contactId: expect.any(String), duplicate: false, differs: false });
    expect(await contacts()).toMatchObject([{ id: receipt!.contactId, text: 'hello', raw: { ref: `inbound:probe/${receipt!.contactId}`, bytes: 29 } }]);
    const [row] = await probe.log.dataSource.query<{ raw: Buffer; state: string }[]>('SELECT raw, state FROM probe.inbound');
    expect(row).toEqual({ raw: Buffer.from('{"from":"ada","text":"hello"}'), state: 'normalized' });
  });

  it('keeps 80 simultaneous items of 10 new senders, each once and in the order of their call', async () => {
    const calls = Array.from({ length: 10 }, (_, sender) =>
      probe.intake.receive(Array.from({ length: 8 }, (_, n) => rawItem(`${sender}-${n}`, { from: `sender${sender}`, text: String(n) }))),
    );
    const receipts = (await Promise.all(calls)).flat();
    expect(new Set(receipts.map(({ contactId }) => contactId)).size).toBe(80);
    const made = await contacts();
    for (let sender = 0; sender < 10; sender++) {
      const theirs = made.filter(({ from }) => from.value === `sender${sender}`);
      expect(theirs.map(({ text }) => text)).toEqual(['0', '1', '2', '3', '4', '5', '6', '7']);
    }
  });

  it('makes one contact of 50 parallel deliveries of the same item', async () => {
    const receipts = (await Promise.all(Array.from({ length: 50 }, () => probe.intake.receive([rawItem('same')])))).flat();
    expect(new Set(receipts.map(({ contactId }) => contactId)).size).toBe(1);
    expect(receipts.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
    expect(await contacts()).toHaveLength(1);
  });

  it('gives a repeat within one call, and a later one with other bytes, the contact of the first', async () => {
    const [first, second] = await probe.intake.receive([rawItem('twice'), rawItem('twice')]);
    expect(second).toMatchObject({ contactId: first!.contactId, duplicate: true, differs: false });
    const [third] = await probe.intake.receive([rawItem('twice', { from: 'ada', text: 'something else' })]);
    expect(third).toMatchObject({ contactId: first!.contactId, duplicate: true, differs: true });
    expect(await contacts()).toHaveLength(1);
  });

  it('makes a degraded contact of what cannot be parsed, and lets its neighbours be', async () => {
    const receipts = await probe.intake.receive([rawItem('good'), rawItem('bad', Buffer.from('{"from":')), rawItem('fine')]);
    const made = await contacts();
    expect(made.map(({ id }) => id).sort()).toEqual(receipts.map(({ contactId }) => contactId).sort());
    expect(made.filter(({ flags }) => flags.unparsable)).toMatchObject([
      { dedupeKey: 'bad', from: { type: 'anonymous' }, conversationKey: `probe:main:${receipts[1]!.contactId}` },
    ]);
  });

  it('keeps what fits of a contact that does not', async () => {
    const good = adapter.normalize;
    adapter.normalize = async (item, context) => ({ ...(await good(item, context))!, occurredAt: 'yesterday', id: 'not mine to choose' });
    const [receipt] = await probe.intake.receive([rawItem('misshapen', { from: 'ada', text: 'kept' })]);
    adapter.normalize = good;
    expect(await contacts()).toMatchObject([
      {
        id: receipt!.contactId,
        text: 'kept',
        from: { value: 'ada' },
        occurredAt: '2026-03-01T10:00:00.000Z',
        occurredAtSource: 'receipt',
        flags: { unparsable: true },
      },
    ]);
  });

  it('keeps what is nobody’s contact without making one', async () => {
    const good = adapter.normalize;
    adapter.normalize = async () => undefined;
    await probe.intake.receive([rawItem('echo')]);
    adapter.normalize = good;
    expect(await contacts()).toEqual([]);
    expect(await probe.log.dataSource.query('SELECT state FROM probe.inbound')).toEqual([{ state: 'ignored' }]);
  });

  it('stores NUL, half surrogates, emoji and right-to-left text, and keys that no index takes', async () => {
    const key = `nul\0 half\ud800 ${'long'.repeat(2_000)}`;
    await probe.intake.receive([rawItem(key, { from: 'a\0b', text: 'x\0y\ud83dz 👩‍👩‍👧 שלום' }, { header: 'n\0ul' })]);
    expect(await contacts()).toMatchObject([{ from: { value: 'ab' }, text: 'xyz 👩‍👩‍👧 שלום', dedupeKey: expect.stringMatching(/^sha256:/) }]);
    expect((await probe.intake.receive([rawItem(key)]))[0]!.duplicate).toBe(true);
    expect((await probe.intake.receive([rawItem(`${key}!`)]))[0]!.duplicate).toBe(false);
  });

  it('puts payloads over 64 kB into the blob store', async () => {
    const text = 'x'.repeat(70_000);
    await probe.intake.receive([rawItem('large', { from: 'ada', text })]);
    const [contact] = await contacts();
    expect(contact!.raw.ref).toMatch(/^blob:/);
    expect(JSON.parse((await probe.blobs.get(contact!.raw.ref)).toString())).toEqual({ from: 'ada', text });
    expect(await probe.log.dataSource.query('SELECT raw FROM probe.inbound')).toEqual([{ raw: null }]);
  });

  it('writes what the channel adds in the same transaction, for all callers of one function at once', async () => {
    const seen: Receipt[][] = [];
    const alongside = async (_: unknown, received: Receipt[]): Promise<void> => void seen.push(received);
    await Promise.all(['a', 'b', 'c'].map((key) => probe.intake.receive([rawItem(key)], alongside)));
    expect(seen.flat().map(({ item }) => item.dedupeKey)).toEqual(['a', 'b', 'c']);
    expect(seen).toHaveLength(1);
  });

  it('rejects, and keeps nothing of, a call whose addition fails; the calls beside it are kept', async () => {
    const outcomes = await Promise.allSettled([
      probe.intake.receive([rawItem('before')]),
      probe.intake.receive([rawItem('failing')], async () => Promise.reject(new Error('no cursor'))),
      probe.intake.receive([rawItem('after')]),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((await contacts()).map(({ dedupeKey }) => dedupeKey).sort()).toEqual(['after', 'before']);
  });

  it('lets callers wait when more arrives than it holds, and keeps it all', async () => {
    const receipts = await Promise.all(
      Array.from({ length: 120 }, (_, call) =>
        probe.intake.receive(Array.from({ length: 100 }, (_, n) => rawItem(`${call}/${n}`, { from: `f${call}`, text: 'x' }))),
      ),
    );
    expect(new Set(receipts.flat().map(({ contactId }) => contactId)).size).toBe(12_000);
    expect(await probe.log.dataSource.query('SELECT count(*)::int AS kept FROM probe.inbound')).toEqual([{ kept: 12_000 }]);
  });
});
