import { newId, type Contact } from '@tierline/events';

const TEXT = 'Since the update my router shows an error every evening and the login page is broken. I have tried to restart it twice. What else can I do?';

/** The n-th contact of a stream of new customers: about 900 bytes of JSON. */
export function contactOf(n: number, at: string = new Date().toISOString()): Contact {
  const id = newId();
  const address = `customer-${n}-${id.slice(-6)}@example.net`;
  return {
    id,
    kind: 'message',
    channel: 'portal',
    accountRef: 'bench',
    direction: 'inbound',
    dedupeKey: `bench:${id}`,
    externalId: id,
    conversationKey: `portal:bench:${id}`,
    threading: { parents: [] },
    from: { type: 'email', value: address, normalized: address, verified: true },
    to: [],
    cc: [],
    subject: 'Router keeps crashing',
    text: TEXT,
    attachments: [],
    raw: { ref: `inbound:portal/${id}`, sha256: '0'.repeat(64), mediaType: 'application/json', bytes: 200 },
    occurredAt: at,
    occurredAtSource: 'receipt',
    receivedAt: at,
    auth: { verdict: 'verified', method: 'token' },
    flags: {},
    adapter: { name: 'bench', version: '1' },
  };
}
