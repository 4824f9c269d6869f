import type { NormalizeContext, RawItem } from '@tierline/channel';
import type { Contact } from '@tierline/events';
import { callRank, isTerminal, VOICEMAIL_RANK } from './call-state.ts';
import { isOptOut } from './opt-out.ts';
import { phoneParty } from './phone-number.ts';
import { callKey, subjectOf } from './twilio-items.ts';
import { param, twilioParams, type TwilioParams } from './twilio-request.ts';

/** Name and version of the adapter, as contacts carry them. */
export const TWILIO_ADAPTER = { name: 'phone', version: '1' };

/** The contact that a webhook of Twilio tells of; undefined when nobody wants anything of us by it. */
export function twilioContact(item: RawItem, context: NormalizeContext): Contact | undefined {
  const params = twilioParams(item.body);
  switch (subjectOf(params)) {
    case 'message':
      return message(params, item, context);
    case 'call':
    case 'recording':
      // Callbacks about recordings name no numbers, and what they tell was told when the recording ended.
      if (!param(params, 'To') || param(params, 'Direction')?.startsWith('outbound')) return undefined;
      return call(params, item, context);
    case 'receipt':
      return undefined;
    case 'other':
      return { ...envelope(params, item, context), kind: 'system', channel: 'sms', externalId: item.dedupeKey, conversationKey: item.dedupeKey };
  }
}

function message(params: TwilioParams, item: RawItem, context: NormalizeContext): Contact {
  const text = param(params, 'Body');
  // The carrier vouches for the number that a message came from.
  const from = phoneParty(param(params, 'From') ?? '', item.accountRef, true);
  const media = mediaOf(params);
  const optOutType = param(params, 'OptOutType');
  return {
    ...envelope(params, item, context),
    kind: 'message',
    channel: 'sms',
    externalId: param(params, 'MessageSid')!,
    conversationKey: `sms:${item.accountRef}:${from.normalized || param(params, 'MessageSid')}`,
    from,
    text,
    auth: { verdict: from.verified ? 'verified' : 'unknown', method: 'signature' },
    flags: isOptOut(text ?? '', optOutType) ? { optOut: true } : {},
    ...((media.length > 0 || optOutType) && { ext: { twilio: { ...(media.length > 0 && { media }), ...(optOutType && { optOutType }) } } }),
  };
}

/** Media stay at Twilio until somebody fetches them. */
function mediaOf(params: TwilioParams): { url: string; mediaType: string | undefined }[] {
  const count = Number(param(params, 'NumMedia') ?? 0) || 0;
  // Ten is what Twilio takes in one message.
  return Array.from({ length: Math.min(count, 10) }, (_, index) => ({
    url: param(params, `MediaUrl${index}`) ?? '',
    mediaType: param(params, `MediaContentType${index}`),
  }));
}

/** A call, or a later state of it. Each call is a conversation of its own: its ticket is found by who calls, not by the channel. */
function call(params: TwilioParams, item: RawItem, context: NormalizeContext): Contact {
  const stirVerdict = param(params, 'StirVerstat');
  // Attestation A: the caller's carrier knows the caller and their right to the number (ATIS-1000074).
  const verified = stirVerdict?.startsWith('TN-Validation-Passed-A') ?? false;
  const key = callKey(params);
  const recordingRef = param(params, 'RecordingUrl');
  // Our part in a call ends with its recording.
  const state = recordingRef ? 'completed' : (param(params, 'CallStatus') ?? 'ringing');
  const durationSec = seconds(param(params, recordingRef ? 'RecordingDuration' : 'CallDuration'));
  const from = phoneParty(param(params, 'From') ?? '', item.accountRef, verified);
  return {
    ...envelope(params, item, context),
    kind: 'call',
    channel: 'voice',
    externalId: param(params, 'CallSid')!,
    conversationKey: `voice:${item.accountRef}:${param(params, 'ParentCallSid') ?? param(params, 'CallSid')}`,
    ...(item.dedupeKey !== key && { revisionOf: key, revision: recordingRef ? VOICEMAIL_RANK : callRank(state) }),
    from,
    subject: `${recordingRef ? 'Voicemail' : isMissed(state) ? 'Missed call' : 'Call'} from ${from.type === 'anonymous' ? 'a withheld number' : from.normalized}`,
    text: recordingRef ? `Voicemail, ${durationSec ?? '?'} s: ${recordingRef}` : `Call ${state}${durationSec ? `, ${durationSec} s` : ''}`,
    auth: {
      verdict: verified ? 'verified' : stirVerdict?.includes('Failed') ? 'failed' : 'unknown',
      ...(stirVerdict && { method: 'stir', details: { stirVerdict } }),
    },
    call: { state, ...(durationSec !== undefined && { durationSec }), ...(recordingRef && { recordingRef }) },
  };
}

function isMissed(state: string): boolean {
  return isTerminal(state) && state !== 'completed';
}

function seconds(value: string | undefined): number | undefined {
  return value !== undefined && /^\d+$/.test(value) ? Number(value) : undefined;
}

/** What is the same for everything from Twilio. Webhooks of messages and calls carry no time; callbacks carry the time of what they tell. */
function envelope(params: TwilioParams, item: RawItem, context: NormalizeContext) {
  const toldAt = Date.parse(param(params, 'Timestamp') ?? '');
  const receivedAt = context.receivedAt.toISOString();
  return {
    id: context.contactId,
    accountRef: item.accountRef,
    direction: 'inbound',
    dedupeKey: item.dedupeKey,
    threading: { parents: [] },
    from: { type: 'anonymous', value: '', normalized: '', verified: false },
    to: [phoneParty(param(params, 'To') ?? item.accountRef, item.accountRef, true)],
    cc: [],
    attachments: [],
    raw: context.raw,
    occurredAt: Number.isNaN(toldAt) ? receivedAt : new Date(toldAt).toISOString(),
    occurredAtSource: Number.isNaN(toldAt) ? 'receipt' : 'provider',
    receivedAt,
    auth: { verdict: 'unknown' },
    flags: {},
    adapter: TWILIO_ADAPTER,
  } satisfies Partial<Contact>;
}
