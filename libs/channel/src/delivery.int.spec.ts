import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { MessageRequested, newId, type DataOf } from '@tierline/events';
import { eventually, freshDatabase, type FreshDatabase } from '@tierline/testing';
import type { SendResult } from './adapter.ts';
import { ProbeAdapter } from '../test/probe-adapter.ts';
import { startProbe, type Probe } from '../test/probe.ts';

type Message = DataOf<typeof MessageRequested>;

let database: FreshDatabase;
let adapter: ProbeAdapter;
let probe: Probe | undefined;
let sent: Message[];

beforeEach(async () => {
  database = await freshDatabase('delivery');
  sent = [];
  adapter = new ProbeAdapter();
  adapter.send = async (message) => {
    sent.push(message);
    return { outcome: 'sent', externalId: `ext-${message.text}` };
  };
});
afterEach(async () => {
  await probe?.stop();
  probe = undefined;
  await database.drop();
});

function request(text: string, conversationKey = 'probe:main:ada'): Message {
  const to = { type: 'user' as const, value: 'ada', normalized: 'ada', verified: true };
  return {
    messageId: newId(),
    ticketId: newId(),
    channel: 'probe',
    accountRef: 'main',
    conversationKey,
    kind: 'reply',
    automatic: false,
    to,
    text,
    attachments: [],
  };
}

async function ask(...messages: Message[]): Promise<void> {
  await probe!.log.transaction('test', async (tx) => {
    for (const message of messages) tx.append(MessageRequested, message.conversationKey, message);
  });
}

async function states(): Promise<string[]> {
  const rows = await probe!.log.dataSource.query<{ state: string }[]>('SELECT state FROM probe.outbound ORDER BY seq');
  return rows.map(({ state }) => state);
}

it('sends each message once, in order per conversation, and says so', async () => {
  probe = await startProbe(database, adapter, 'inline');
  const messages = Array.from({ length: 60 }, (_, n) => request(String(n), `probe:main:${n % 3}`));
  await ask(...messages, ...messages);
  await eventually(async () => expect(await probe!.appended('message.sent')).toHaveLength(60));
  expect(sent).toHaveLength(60);
  for (let conversation = 0; conversation < 3; conversation++) {
    const order = sent.filter(({ conversationKey }) => conversationKey === `probe:main:${conversation}`).map(({ text }) => Number(text));
    expect(order).toEqual([...order].sort((a, b) => a - b));
  }
  expect((await probe.appended('message.sent')).map(({ data }) => data)).toContainEqual(
    expect.objectContaining({ messageId: messages[7]!.messageId, ticketId: messages[7]!.ticketId, externalId: 'ext-7' }),
  );
});

it('lets no conversation wait for another', async () => {
  let release = (_: SendResult): void => undefined;
  const slow = new Promise<SendResult>((resolve) => (release = resolve));
  adapter.send = async (message) => (message.text === 'slow' ? slow : { outcome: 'sent', externalId: message.text });
  probe = await startProbe(database, adapter, 'inline');
  await ask(request('slow', 'a'), request('behind', 'a'), request('beside', 'b'));
  await eventually(async () => expect(await states()).toEqual(['sending', 'queued', 'sent']));
  release({ outcome: 'sent', externalId: 'late' });
  await eventually(async () => expect(await states()).toEqual(['sent', 'sent', 'sent']));
});

it('tries again when the provider says so, before what comes after it', async () => {
  let tries = 0;
  const order: string[] = [];
  adapter.send = async (message) => {
    if (message.text === 'first' && ++tries < 3) return { outcome: 'retry', reason: '429', retryAfterMs: 20 };
    order.push(message.text);
    return { outcome: 'sent', externalId: message.text };
  };
  probe = await startProbe(database, adapter, 'inline');
  await ask(request('first'), request('second'));
  await eventually(async () => expect(await states()).toEqual(['sent', 'sent']));
  expect({ tries, order }).toEqual({ tries: 3, order: ['first', 'second'] });
});

it('reports what the provider refuses, and what it cannot know', async () => {
  adapter.send = async (message) => {
    if (message.text === 'broken') throw new Error('socket hang up');
    return { outcome: 'permanent', reason: 'no such number' };
  };
  probe = await startProbe(database, adapter, 'inline');
  await ask(request('refused'), request('broken'));
  await eventually(async () => expect(await probe!.appended('message.failed')).toHaveLength(2));
  expect((await probe.appended('message.failed')).map(({ data }) => data)).toMatchObject([
    { outcome: 'permanent', reason: 'no such number' },
    { outcome: 'unknown', reason: 'socket hang up' },
  ]);
});

it('gives up on a message that nobody took for a day', async () => {
  adapter.send = async () => ({ outcome: 'retry', reason: 'still down', retryAfterMs: 100 });
  probe = await startProbe(database, adapter, 'inline');
  await ask(request('old'));
  await eventually(async () => expect(await states()).toEqual(['queued']));
  await probe.log.dataSource.query(`UPDATE probe.outbound SET requested_at = now() - interval '25 hours'`);
  await eventually(async () => expect((await probe!.appended('message.failed')).map(({ data }) => data)).toMatchObject([{ outcome: 'permanent' }]));
});

it('never sends again what a crash interrupted, but says that it does not know', async () => {
  let release = (_: SendResult): void => undefined;
  let reached = (): void => undefined;
  const sending = new Promise<void>((resolve) => (reached = resolve));
  const stuck = new ProbeAdapter();
  stuck.send = async () => {
    reached();
    return new Promise<SendResult>((resolve) => (release = resolve));
  };
  probe = await startProbe(database, stuck, 'inline');
  await ask(request('interrupted'));
  await sending;
  await probe.log.dataSource.query(`DELETE FROM ${probe.log.schema}.lease WHERE name = 'delivery:probe'`);
  const second = await startProbe(database, adapter, 'inline');
  try {
    await eventually(async () => expect((await second.appended('message.failed')).map(({ data }) => data)).toMatchObject([{ outcome: 'unknown' }]));
    expect(sent).toEqual([]);
    // The first owner was not dead but frozen, and hears at last that the message was taken: the better news counts.
    release({ outcome: 'sent', externalId: 'ext' });
    await probe.stop();
    expect(await second.appended('message.sent')).toHaveLength(1);
    expect(sent).toEqual([]);
  } finally {
    probe = second;
  }
});
