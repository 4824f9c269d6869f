import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { contact, ContactReceived } from '@tierline/events';
import { emailParty, runServices, sampleContact, type RunningServices } from './index.ts';

describe('runServices', () => {
  let services: RunningServices;
  beforeAll(async () => {
    services = await runServices([]);
  });
  afterAll(() => services.stop());

  it('answers over HTTP', async () => {
    expect(await services.request('GET', '/ready', undefined, null)).toMatchObject({ status: 200, body: { status: 'ok' } });
  });

  it('appends events, and shows what is in the log', async () => {
    const data = sampleContact();
    const id = await services.append(ContactReceived, data.conversationKey, data);
    expect(await services.events('contact')).toMatchObject([{ id, type: 'contact.received', key: data.conversationKey, data: { text: data.text } }]);
    expect(await services.events('ticket')).toEqual([]);
  });

  it('refuses to append what is not in the schema', async () => {
    await expect(services.append(ContactReceived, 'key', { ...sampleContact(), channel: 'E Mail' })).rejects.toThrow('channel');
  });

  it('lets in with a token of its own', async () => {
    expect(await services.tokenFor('ann', 'agent')).toHaveLength(43);
  });
});

describe('sampleContact', () => {
  it('fits the schema, and is another contact each time', () => {
    expect(contact.parse(sampleContact())).toMatchObject({ from: { normalized: 'ann@example.org' } });
    expect(sampleContact().dedupeKey).not.toBe(sampleContact().dedupeKey);
    expect(sampleContact({ from: emailParty('Bo@Example.org', false) }).from).toEqual({
      type: 'email',
      value: 'Bo@Example.org',
      normalized: 'bo@example.org',
      verified: false,
    });
  });
});
