import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { RawItem, RawRequest } from '@tierline/channel';
import { conformance } from '@tierline/channel/conformance';
import type { Contact } from '@tierline/events';
import { twilioSignature } from '@tierline/testing';
import type { PhoneAccount } from './configuration.ts';
import { TwilioAdapter } from './twilio.adapter.ts';
import { twilioItem } from './twilio-items.ts';
import { twilioParams } from './twilio-request.ts';

const folder = join(import.meta.dirname, '../samples');
const samples = Object.fromEntries(readdirSync(folder).map((file) => [basename(file, '.txt'), readFileSync(join(folder, file))]));
const sample = (name: string): Buffer => samples[name]!;
/** A sample with other parameters. */
const changed = (name: string, params: Record<string, string>): Buffer => {
  const form = new URLSearchParams(sample(name).toString());
  for (const [param, value] of Object.entries(params)) form.set(param, value);
  return Buffer.from(form.toString());
};

const RECEIVED_AT = new Date('2025-06-03T08:15:30.000Z');
const item = (body: Buffer): RawItem => twilioItem(body, RECEIVED_AT);
const account: PhoneAccount = {
  accountSid: `AC${'5'.repeat(32)}`,
  authToken: 'token',
  secondaryAuthToken: 'next',
  apiUrl: 'https://api.twilio.com',
  greeting: 'Moin & <hello>.',
};
const other: PhoneAccount = { ...account, accountSid: `AC${'6'.repeat(32)}`, authToken: 'other', secondaryAuthToken: undefined };
const accounts = new Map([
  ['+18005551212', account],
  ['+442079460958', other],
]);
const adapter = new TwilioAdapter(() => accounts);

function signed(body: Buffer, authToken = account.authToken): RawRequest {
  const url = 'https://contact.example/phone/v1/twilio/sms';
  const signature = twilioSignature(authToken, url, twilioParams(body));
  return { method: 'POST', url, headers: { 'x-twilio-signature': signature }, query: new URLSearchParams(), body };
}

conformance('phone', {
  adapter,
  items: Object.fromEntries(Object.entries(samples).map(([name, body]) => [name, item(body)])),
  // UTF-8 has no half surrogate pairs.
  withText: (text) => item(changed('sms', { Body: text.replace(/\p{Surrogate}/gu, '') })),
  withId: (id) => item(changed('sms', { MessageSid: `SM${id}` })),
  unknown: [item(sample('error-report')), item(Buffer.from('Brand=new'))],
  webhook: {
    signed,
    mediaType: 'application/x-www-form-urlencoded',
    signatureHeader: 'x-twilio-signature',
    deliveries: samples,
    same: [
      [sample('sms'), changed('sms', { AddOns: '{"status":"successful"}' })],
      // Asked again for instructions, after a redirect or at the fallback address.
      [sample('call-ringing'), changed('call-ringing', { CallStatus: 'in-progress', ErrorCode: '11200' })],
      [sample('call-completed'), changed('call-completed', { SequenceNumber: '3' })],
    ],
  },
});

describe('the owner of a request', () => {
  it('may sign with the token that comes next', () => {
    expect(adapter.verify(signed(sample('sms'), 'next'))).toEqual({ valid: true });
  });

  it('is the account that the request names, not another of ours', () => {
    expect(adapter.verify(signed(sample('sms'), 'other'))).toEqual({
      valid: false,
      reason: expect.stringContaining('https://contact.example/phone/v1/twilio/sms'),
    });
    const unknown = changed('sms', { AccountSid: `AC${'7'.repeat(32)}` });
    expect(adapter.verify(signed(unknown))).toEqual({ valid: false, reason: 'it is not from an account of ours' });
  });
});

describe('the answer', () => {
  const answer = (body: Buffer): string => adapter.acknowledge(signed(body)).body;
  const nothing = '<?xml version="1.0" encoding="UTF-8"?><Response/>';

  it('to a call is a greeting and a tone, and where to ask what comes next', () => {
    expect(answer(sample('call-ringing'))).toBe(
      '<?xml version="1.0" encoding="UTF-8"?><Response><Say>Moin &amp; &lt;hello&gt;.</Say><Record action="status" maxLength="180" finishOnKey="#"/></Response>',
    );
  });

  it.each(['sms', 'sms-stop', 'call-completed', 'call-voicemail', 'error-report'])('to %s is nothing to do', (name) => {
    expect(answer(sample(name))).toBe(nothing);
  });
});

describe('the life of a call', () => {
  const states = ['call-ringing', 'call-in-progress', 'call-completed', 'call-voicemail'].map(sample);
  const last = async (bodies: readonly Buffer[]): Promise<Contact> => {
    let contact: Contact | undefined;
    for (const body of bodies) {
      const next = (await adapter.normalize(item(body), {
        contactId: '0195a000-0000-7000-8000-000000000001',
        raw: { ref: 'raw', sha256: '', mediaType: '', bytes: 0 },
        receivedAt: RECEIVED_AT,
        saveBlob: () => Promise.reject(new Error('calls have no attachments')),
        secret: '',
      }))!;
      expect(next.revisionOf ?? next.dedupeKey).toBe(`twilio:call:CA${'1'.padStart(32, '0')}`);
      if (!contact || (next.revision ?? 0) > (contact.revision ?? 0)) contact = next;
    }
    return contact!;
  };

  it('ends the same in whatever order it is told', async () => {
    for (const bodies of permutations(states)) {
      expect(await last(bodies)).toMatchObject({ subject: 'Voicemail from +14158675309', call: { state: 'completed', durationSec: 12 } });
    }
  });

  it('knows a call that nobody took', async () => {
    const missed = await last([changed('call-no-answer', { CallSid: `CA${'1'.padStart(32, '0')}` })]);
    expect(missed).toMatchObject({ subject: 'Missed call from +14158675309', call: { state: 'no-answer', durationSec: 0 } });
  });
});

describe('a message that cannot be sent', () => {
  const message = {
    messageId: '0195a000-0000-7000-8000-000000000002',
    ticketId: '0195a000-0000-7000-8000-000000000003',
    channel: 'sms',
    accountRef: '+18005551212',
    conversationKey: 'sms:+18005551212:+14158675309',
    kind: 'reply' as const,
    automatic: false,
    to: { type: 'phone' as const, value: '+14158675309', normalized: '+14158675309', verified: true },
    text: 'Hello',
    attachments: [],
  };

  it.each([
    ['from a number that is not ours', { ...message, accountRef: '+18005550000' }],
    ['to a withheld number', { ...message, to: { type: 'anonymous' as const, value: '', normalized: '', verified: false } }],
    [
      'with an attachment',
      {
        ...message,
        attachments: [{ id: '1', filename: 'a.pdf', mediaType: 'application/pdf', bytes: 1, sha256: '', disposition: 'attachment' as const, ref: '' }],
      },
    ],
  ])('%s is refused here', async (_, refusedMessage) => {
    expect(await adapter.send(refusedMessage)).toMatchObject({ outcome: 'permanent' });
  });
});

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length < 2) return [[...items]];
  return items.flatMap((first, index) => permutations([...items.slice(0, index), ...items.slice(index + 1)]).map((rest) => [first, ...rest]));
}
