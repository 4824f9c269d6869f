import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { accepted, deliver, providerApi, type Delivered, type ProviderAnswer, type ProviderApi, type ProviderRequest } from './provider-double.ts';

/** Twilio waits this long for a webhook. */
const READ_TIMEOUT_MS = 15_000;
/** One retry, and only where no connection was made. */
const TRIES = 2;

export interface TwilioDoubleOptions {
  /** Where the service under test answers. */
  readonly url: string;
  readonly authToken: string;
  readonly accountSid: string;
}

/** What a webhook brought: the id of the message or call that it told of, and the answer. */
export interface TwilioDelivery extends Delivered {
  readonly sid: string;
  readonly accepted: boolean;
}

export interface SentSms {
  readonly sid: string;
  readonly from: string;
  readonly to: string;
  readonly body: string;
}

type Params = Readonly<Record<string, string | readonly string[]>>;

/** What a webhook may be given besides what the double makes up. */
export interface TwilioWebhook {
  /** Parameters to add or to replace; undefined ones are left out. A list is sent as a parameter that comes several times. */
  readonly params?: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** How often the same webhook is delivered, all at the same time. */
  readonly deliveries?: number;
}

export interface TwilioDouble extends ProviderApi {
  /** The messages that were taken, in order. */
  readonly sent: readonly SentSms[];
  /** Somebody writes an SMS to us. Whoever writes STOP refuses our messages from then on. */
  sendSms(sms: { from: string; to: string; body: string } & TwilioWebhook): Promise<TwilioDelivery>;
  /** Somebody calls us: the webhook that asks for instructions. Its answer is TwiML. */
  call(call: { from: string; to: string } & TwilioWebhook): Promise<TwilioDelivery>;
  /** Tells a later state of a call, in whatever order the test tells them. */
  callStatus(sid: string, state: string, webhook?: TwilioWebhook): Promise<TwilioDelivery>;
  /** The caller has spoken and hung up. */
  voicemail(sid: string, durationSec: number, webhook?: TwilioWebhook): Promise<TwilioDelivery>;
}

/** A local Twilio: signs and repeats its webhooks, and takes or refuses messages, as the real one is documented to. */
export async function twilioDouble({ url, authToken, accountSid }: TwilioDoubleOptions): Promise<TwilioDouble> {
  const sent: SentSms[] = [];
  const calls = new Map<string, { from: string; to: string; told: number }>();
  const optedOut = new Set<string>();
  const common = { AccountSid: accountSid, ApiVersion: '2010-04-01' };

  const api = await providerApi((request) => {
    const answer = takeMessage(request, { authToken, accountSid, optedOut });
    if (answer.taken) sent.push(answer.taken);
    return answer;
  });

  async function post(route: string, sid: string, given: Params, { params = {}, deliveries = 1 }: TwilioWebhook): Promise<TwilioDelivery> {
    const target = `${url}/phone/v1/twilio/${route}`;
    const all = Object.fromEntries(Object.entries({ ...common, ...given, ...params }).filter(([, value]) => value !== undefined)) as Params;
    const body = encode(all);
    const headers = {
      'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
      'x-twilio-signature': twilioSignature(authToken, target, all),
      // The same for all tries.
      'i-twilio-idempotency-token': randomUUID(),
      'user-agent': 'TwilioProxy/1.1',
    };
    const answers = await Promise.all(Array.from({ length: deliveries }, () => tryTwice(target, headers, body)));
    // The caller hears the first that was taken.
    const best = answers.find(accepted) ?? answers[0]!;
    return { ...best, sid, accepted: accepted(best) };
  }

  return {
    ...api,
    sent,
    async sendSms({ from, to, body, ...webhook }) {
      if (/^\s*stop\s*$/i.test(body)) optedOut.add(from);
      const sid = newSid('SM');
      const message = {
        MessageSid: sid,
        SmsSid: sid,
        SmsMessageSid: sid,
        SmsStatus: 'received',
        From: from,
        To: to,
        Body: body,
        NumSegments: '1',
        NumMedia: '0',
      };
      return post('sms', sid, message, webhook);
    },
    async call({ from, to, ...webhook }) {
      const sid = newSid('CA');
      calls.set(sid, { from, to, told: 0 });
      return post('voice', sid, { CallSid: sid, CallStatus: 'ringing', Direction: 'inbound', From: from, To: to, Caller: from, Called: to }, webhook);
    },
    async callStatus(sid, state, webhook = {}) {
      const call = calls.get(sid)!;
      const progress = {
        CallbackSource: 'call-progress-events',
        SequenceNumber: String(call.told++),
        Timestamp: new Date().toUTCString().replace('GMT', '+0000'),
      };
      const status = {
        CallSid: sid,
        CallStatus: state,
        Direction: 'inbound',
        From: call.from,
        To: call.to,
        ...(state === 'completed' && { CallDuration: '42' }),
      };
      return post('status', sid, { ...status, ...progress }, webhook);
    },
    async voicemail(sid, durationSec, webhook = {}) {
      const call = calls.get(sid)!;
      const recordingSid = newSid('RE');
      const recording = {
        RecordingSid: recordingSid,
        RecordingUrl: `${api.url}/2010-04-01/Accounts/${accountSid}/Recordings/${recordingSid}`,
        RecordingDuration: String(durationSec),
        Digits: 'hangup',
      };
      return post('status', sid, { CallSid: sid, CallStatus: 'completed', Direction: 'inbound', From: call.from, To: call.to, ...recording }, webhook);
    },
  };
}

/** https://www.twilio.com/docs/usage/security: the address, then each parameter with its value, by name; lists without repetitions, sorted. */
export function twilioSignature(authToken: string, url: string, params: Params): string {
  const signed = Object.keys(params)
    .sort()
    .flatMap((name) => [...new Set([params[name]!].flat())].sort().map((value) => name + value));
  return createHmac('sha1', authToken)
    .update(url + signed.join(''))
    .digest('base64');
}

async function tryTwice(url: string, headers: Readonly<Record<string, string>>, body: string): Promise<Delivered> {
  for (let tries = 1; ; tries++) {
    const answer = await deliver(url, headers, body, READ_TIMEOUT_MS);
    if (answer.connected || tries === TRIES) return answer;
  }
}

function encode(params: Params): string {
  return new URLSearchParams(Object.entries(params).flatMap(([name, values]) => [values].flat().map((value) => [name, value] as [string, string]))).toString();
}

/** `POST /2010-04-01/Accounts/{sid}/Messages.json` */
function takeMessage(
  { method, path, headers, body }: ProviderRequest,
  { authToken, accountSid, optedOut }: { authToken: string; accountSid: string; optedOut: ReadonlySet<string> },
): ProviderAnswer & { taken?: SentSms } {
  if (headers.authorization !== `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`) return refuse(401, 20003, 'Authenticate');
  if (method !== 'POST' || path !== `/2010-04-01/Accounts/${accountSid}/Messages.json`)
    return refuse(404, 20404, `The requested resource ${path} was not found`);
  const form = new URLSearchParams(body);
  const [to, from, text] = [form.get('To') ?? '', form.get('From') ?? '', form.get('Body') ?? ''];
  if (!/^\+[1-9]\d{6,14}$/.test(to)) return refuse(400, 21211, `Invalid 'To' Phone Number: ${to}`);
  if (optedOut.has(to)) return refuse(400, 21610, 'Attempt to send to unsubscribed recipient');
  if (text.length > 1600) return refuse(400, 21617, 'The concatenated message body exceeds the 1600 character limit');
  const taken = { sid: newSid('SM'), from, to, body: text };
  return { status: 201, body: { sid: taken.sid, account_sid: accountSid, from, to, body: text, status: 'queued', direction: 'outbound-api' }, taken };
}

function refuse(status: number, code: number, message: string): ProviderAnswer {
  return { status, body: { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status } };
}

function newSid(prefix: string): string {
  return prefix + randomBytes(16).toString('hex');
}
