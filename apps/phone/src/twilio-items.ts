import { createHash } from 'node:crypto';
import type { RawItem } from '@tierline/channel';
import { isTerminal } from './call-state.ts';
import { e164 } from './phone-number.ts';
import { param, twilioParams, type TwilioParams } from './twilio-request.ts';

/** What a webhook of Twilio is about. */
export type TwilioSubject = 'message' | 'receipt' | 'call' | 'recording' | 'other';

/** By its parameters, not its address: a webhook pointed at the wrong one of our routes is understood all the same. */
export function subjectOf(params: TwilioParams): TwilioSubject {
  // Only what becomes of a message of ours is told with a MessageStatus.
  if (param(params, 'MessageSid')) return param(params, 'MessageStatus') ? 'receipt' : 'message';
  if (param(params, 'CallSid')) return recordingOf(params) ? 'recording' : 'call';
  return 'other';
}

/** The one item of a webhook. */
export function twilioItem(body: Buffer, receivedAt: Date): RawItem {
  const params = twilioParams(body);
  return { accountRef: ourNumber(params), dedupeKey: dedupeKey(params, body), mediaType: 'application/x-www-form-urlencoded', body, meta: {}, receivedAt };
}

/** The key of the contact that a call is; its later states revise it. */
export function callKey(params: TwilioParams): string {
  return `twilio:call:${param(params, 'CallSid')}`;
}

/** Our end of it. Callbacks about recordings name no numbers; the account stands in. */
function ourNumber(params: TwilioParams): string {
  const outbound = subjectOf(params) === 'receipt' || param(params, 'Direction')?.startsWith('outbound');
  const number = param(params, outbound ? 'From' : 'To');
  return (number && (e164(number) ?? number)) ?? param(params, 'AccountSid') ?? 'unknown';
}

/** Made of what the webhook tells and not of its delivery: a retry has the same key, the next state of a call another one. */
function dedupeKey(params: TwilioParams, body: Buffer): string {
  const message = `twilio:msg:${param(params, 'MessageSid')}`;
  const state = param(params, 'CallStatus') ?? '';
  switch (subjectOf(params)) {
    case 'message':
      return message;
    case 'receipt':
      return `${message}:${param(params, 'MessageStatus')}`;
    case 'recording':
      return `${callKey(params)}:${recordingOf(params)}:${param(params, 'RecordingStatus') ?? 'ended'}`;
    case 'call':
      // A request for instructions is the call itself, however often it is made; callbacks tell what became of it.
      return param(params, 'CallbackSource') || isTerminal(state) ? `${callKey(params)}:${state}` : callKey(params);
    case 'other':
      return `twilio:request:${createHash('sha256').update(body).digest('hex')}`;
  }
}

function recordingOf(params: TwilioParams): string | undefined {
  return param(params, 'RecordingSid') ?? param(params, 'RecordingUrl');
}
