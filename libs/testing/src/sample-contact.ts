import { contact, newId, type Contact, type Party } from '@tierline/events';

/** Somebody with an email address; vouched for, unless said otherwise. */
export function emailParty(address: string, verified = true): Party {
  return { type: 'email', value: address, normalized: address.toLowerCase(), verified };
}

/**
 * A contact as a channel would append it: a verified mail from Ann, in a conversation of its own.
 * What a test cares about is given; the whole is checked against the schema.
 */
export function sampleContact(given: Partial<Contact> = {}): Contact {
  const id = given.id ?? newId();
  const dedupeKey = given.dedupeKey ?? `sample:${id}`;
  const channel = given.channel ?? 'email';
  const accountRef = given.accountRef ?? 'support@acme.example';
  return contact.parse({
    id,
    kind: 'message',
    channel,
    accountRef,
    direction: 'inbound',
    dedupeKey,
    externalId: dedupeKey,
    conversationKey: `${channel}:${accountRef}:${id}`,
    from: emailParty('ann@example.org'),
    to: [emailParty(accountRef)],
    subject: 'The bill is wrong',
    text: 'You charged me twice in May.',
    raw: { ref: `raw/${id}`, sha256: '0'.repeat(64), mediaType: 'message/rfc822', bytes: 512 },
    occurredAt: '2025-06-02T08:00:00.000Z',
    occurredAtSource: 'header',
    receivedAt: '2025-06-02T08:00:01.000Z',
    auth: { verdict: 'verified', method: 'dmarc' },
    adapter: { name: 'sample', version: '1' },
    ...given,
  });
}
