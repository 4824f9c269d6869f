import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MessageRequested, newId, type Contact, type DataOf, type MessageFailed, type MessageSent } from '@tierline/events';
import { eventually, freePort, runServices, twilioDouble, twilioSignature, type RunningServices, type TwilioDouble } from '@tierline/testing';
import { phoneAccount } from './configuration.ts';
import { phoneService } from './phone.module.ts';
import { TwilioAdapter } from './twilio.adapter.ts';

const OURS = '+18005551212';
const ANN = '+14158675309';
const ACCOUNT = { accountSid: `AC${'5'.repeat(32)}`, authToken: 'token-of-the-account' };

let services: RunningServices;
let twilio: TwilioDouble;
const configuration = () => ({ numbers: [{ number: OURS, ...ACCOUNT, apiUrl: twilio.url }] });

beforeAll(async () => {
  services = await runServices([phoneService]);
  twilio = await twilioDouble({ url: services.url, ...ACCOUNT });
  await services.request('PUT', '/phone/v1/configuration', configuration());
});

afterAll(async () => {
  await twilio.stop();
  await services.stop();
});

async function contacts(externalId: string): Promise<Contact[]> {
  return (await services.events('contact')).map(({ data }) => data as Contact).filter((contact) => contact.externalId === externalId);
}

describe('the configuration', () => {
  it('is applied once, and shows no secrets', async () => {
    expect((await services.request('PUT', '/phone/v1/configuration', configuration())).body).toEqual({ changed: 0 });
    expect((await services.request('GET', '/phone/v1/configuration')).body).toEqual({
      numbers: [{ number: OURS, accountSid: ACCOUNT.accountSid, authToken: 'set', apiUrl: twilio.url, greeting: expect.any(String) }],
    });
  });

  it('is for administrators', async () => {
    const agent = await services.tokenFor('ann', 'agent');
    expect(await services.request('PUT', '/phone/v1/configuration', configuration(), agent)).toMatchObject({ status: 403 });
    expect(await services.request('GET', '/phone/v1/configuration', undefined, null)).toMatchObject({ status: 401 });
  });
});

describe('an SMS', () => {
  it('is one contact however often Twilio delivers it, and is answered with nothing to say', async () => {
    const { sid, status, body } = await twilio.sendSms({ from: ANN, to: OURS, body: 'Où est ma commande ? 😀', deliveries: 4 });
    expect([status, body]).toEqual([200, '<?xml version="1.0" encoding="UTF-8"?><Response/>']);
    await twilio.sendSms({ from: ANN, to: OURS, body: 'Où est ma commande ? 😀', params: { MessageSid: sid } });
    expect(await contacts(sid)).toMatchObject([
      { kind: 'message', text: 'Où est ma commande ? 😀', conversationKey: `sms:${OURS}:${ANN}`, from: { normalized: ANN, verified: true } },
    ]);
  });

  it('may repeat a parameter', async () => {
    const { sid, status } = await twilio.sendSms({ from: ANN, to: OURS, body: 'hello', params: { 'MessagingBinding.Address': ['+2', '+1', '+1'] } });
    expect(status).toBe(200);
    expect(await contacts(sid)).toHaveLength(1);
  });

  it('is not believed when Twilio has not signed it', async () => {
    const before = (await services.events()).length;
    const params = { AccountSid: ACCOUNT.accountSid, MessageSid: 'SM0', From: ANN, To: OURS, Body: 'Please send my password' };
    const post = (signature: string) =>
      services.request('POST', '/phone/v1/twilio/sms', new URLSearchParams(params).toString(), null, {
        'content-type': 'application/x-www-form-urlencoded',
        'x-twilio-signature': signature,
      });
    for (const signature of [
      '',
      'AAAA',
      twilioSignature('guess', `${services.url}/phone/v1/twilio/sms`, params),
      twilioSignature(ACCOUNT.authToken, `${services.url}/elsewhere`, params),
    ]) {
      expect(await post(signature)).toMatchObject({ status: 403, body: { title: 'webhook.forged' } });
    }
    expect((await services.events()).length).toBe(before);
  });
});

it('is signed for the address that Twilio was given, whatever a proxy makes of it', async () => {
  const behind = await runServices([phoneService], { env: { PUBLIC_URL: 'https://contact.example/line/' } });
  try {
    await behind.request('PUT', '/phone/v1/configuration', configuration());
    const params = { AccountSid: ACCOUNT.accountSid, MessageSid: 'SM0', From: ANN, To: OURS, Body: 'hello' };
    const post = (signedUrl: string) =>
      behind.request('POST', '/phone/v1/twilio/sms?brand=acme&x=%20', new URLSearchParams(params).toString(), null, {
        'content-type': 'application/x-www-form-urlencoded',
        'x-forwarded-host': 'elsewhere.example',
        'x-twilio-signature': twilioSignature(ACCOUNT.authToken, signedUrl, params),
      });
    expect(await post('https://contact.example/line/phone/v1/twilio/sms?brand=acme&x=%20')).toMatchObject({ status: 200 });
    expect(await post(`${behind.url}/phone/v1/twilio/sms?brand=acme&x=%20`)).toMatchObject({ status: 403 });
    expect(await post('https://contact.example/line/phone/v1/twilio/sms')).toMatchObject({ status: 403 });
  } finally {
    await behind.stop();
  }
});

describe('a call', () => {
  it('is a contact when it rings; what becomes of it revises that contact, in any order and once', async () => {
    const call = await twilio.call({ from: ANN, to: OURS, deliveries: 2 });
    expect(call.body).toContain('<Record action="status"');
    for (const answer of [
      await twilio.voicemail(call.sid, 12),
      await twilio.callStatus(call.sid, 'completed', { deliveries: 2 }),
      await twilio.callStatus(call.sid, 'in-progress'),
    ]) {
      expect(answer).toMatchObject({ status: 200, body: '<?xml version="1.0" encoding="UTF-8"?><Response/>' });
    }
    const told = await contacts(call.sid);
    expect(told.map(({ kind, revision }) => [kind, revision])).toEqual([
      ['call', undefined],
      ['call', 10],
      ['call', 9],
      ['call', 3],
    ]);
    expect(new Set(told.slice(1).map(({ revisionOf }) => revisionOf))).toEqual(new Set([told[0]!.dedupeKey]));
  });

  it('that nobody took is a contact even if only its end was told', async () => {
    const { sid } = await twilio.call({ from: ANN, to: OURS, params: { CallStatus: 'no-answer' } });
    expect(await contacts(sid)).toMatchObject([{ kind: 'call', subject: `Missed call from ${ANN}`, call: { state: 'no-answer' } }]);
  });
});

describe('a message to a customer', () => {
  const requested = (to: string, text: string, channel = 'sms'): DataOf<typeof MessageRequested> => ({
    messageId: newId(),
    ticketId: newId(),
    channel,
    accountRef: OURS,
    conversationKey: `${channel}:${OURS}:${to}`,
    kind: 'reply',
    automatic: false,
    to: { type: 'phone', value: to, normalized: to, verified: true },
    text,
    attachments: [],
  });
  const request = (message: DataOf<typeof MessageRequested>) => services.append(MessageRequested, message.conversationKey, message);
  const outcome = (messageId: string) =>
    eventually(async () => {
      const events = (await services.events('message')) as (MessageRequested | MessageSent | MessageFailed)[];
      const about = events.filter(({ type, data }) => type !== 'message.requested' && data.messageId === messageId);
      expect(about).toHaveLength(1);
      return about[0]!;
    });
  const sentTo = (to: string) => twilio.sent.filter((sms) => sms.to === to);

  it.each(['sms', 'voice'])('goes out by SMS, once, from the number that was contacted (%s)', async (channel) => {
    const message = requested(channel === 'sms' ? '+14155550101' : '+14155550102', 'Your parcel is on its way. 📦', channel);
    await request(message);
    await request(message);
    const { type, data } = await outcome(message.messageId);
    const sms = sentTo(message.to.normalized);
    expect(sms).toMatchObject([{ from: OURS, body: 'Your parcel is on its way. 📦' }]);
    expect([type, (data as MessageSent['data']).externalId]).toEqual(['message.sent', sms[0]!.sid]);
  });

  it('of another channel is none of its business', async () => {
    const mine = requested('+14155550103', 'mine');
    await request({ ...mine, messageId: newId(), channel: 'email' });
    await request(mine);
    await outcome(mine.messageId);
    expect(sentTo('+14155550103')).toHaveLength(1);
  });

  it('waits where Twilio asks to wait, and is then sent once', async () => {
    twilio.failNext({ status: 429, headers: { 'retry-after': '0' }, body: { code: 20429, message: 'Too Many Requests' } });
    const message = requested('+14155550104', 'patience');
    await request(message);
    expect(await outcome(message.messageId)).toMatchObject({ type: 'message.sent' });
    expect(sentTo('+14155550104')).toHaveLength(1);
  });

  it('is not sent to somebody who wrote STOP', async () => {
    await twilio.sendSms({ from: '+14155550105', to: OURS, body: 'STOP' });
    const message = requested('+14155550105', 'but wait');
    await request(message);
    expect(await outcome(message.messageId)).toMatchObject({
      type: 'message.failed',
      data: { outcome: 'permanent', reason: 'Twilio answered 400, error 21610: Attempt to send to unsubscribed recipient' },
    });
  });

  it('that Twilio may have taken is not sent again', async () => {
    twilio.failNext('drop');
    const message = requested('+14155550106', 'did you get this?');
    await request(message);
    expect(await outcome(message.messageId)).toMatchObject({ type: 'message.failed', data: { outcome: 'unknown' } });
    expect(sentTo('+14155550106')).toHaveLength(1);
  });

  describe('handed to Twilio', () => {
    const send = (apiUrl: string) => {
      const account = phoneAccount.parse({ ...ACCOUNT, apiUrl });
      return new TwilioAdapter(() => new Map([[OURS, account]]), 200).send(requested('+14155550107', 'hello'));
    };

    it('that does not answer in time, may have been taken', async () => {
      twilio.failNext('hang');
      expect(await send(twilio.url)).toEqual({ outcome: 'unknown', reason: 'timeout of 200ms exceeded' });
    });

    it('that cannot be reached, was not taken', async () => {
      expect(await send(`http://127.0.0.1:${await freePort()}`)).toMatchObject({ outcome: 'retry' });
    });

    it('that is out of order, was not taken', async () => {
      twilio.failNext({ status: 503, headers: { 'retry-after': '3' }, body: '<h1>Service Unavailable</h1>' });
      expect(await send(twilio.url)).toEqual({ outcome: 'retry', reason: 'Twilio answered 503', retryAfterMs: 3000 });
    });

    it('that answers something else than it should, may have been taken', async () => {
      twilio.failNext({ status: 200, body: '<h1>Welcome to this hotel</h1>' });
      expect(await send(twilio.url)).toMatchObject({ outcome: 'unknown' });
    });

    it('that does not know the account, was not taken', async () => {
      const stranger = phoneAccount.parse({ ...ACCOUNT, authToken: 'wrong', apiUrl: twilio.url });
      const result = await new TwilioAdapter(() => new Map([[OURS, stranger]])).send(requested('+14155550107', 'hello'));
      expect(result).toEqual({ outcome: 'permanent', reason: 'Twilio answered 401, error 20003: Authenticate' });
    });
  });
});
