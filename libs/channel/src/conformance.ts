import { Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { contact as contactSchema, type Contact } from '@tierline/events';
import type { ChannelAdapter, NormalizeContext, RawItem, RawRequest, RawResponse } from './adapter.ts';
import { blobOf } from './blob-store.ts';
import { storable } from './storable.ts';
import { toContact } from './to-contact.ts';

/** What a channel shows to be held to the rules that every channel keeps. Make the samples from the provider's own documents and real traffic. */
export interface ChannelSamples {
  adapter: ChannelAdapter;
  /** Items by what they are, `a reply with an attachment`. What becomes of each is kept as a snapshot beside the spec. */
  items: Readonly<Record<string, RawItem>>;
  /** An item whose text is this; without it, the channel carries no text. */
  withText?: (text: string) => RawItem;
  /** An item whose provider id is this; without it, the provider's ids are no numbers. */
  withId?: (id: string) => RawItem;
  /** Items of a type that the adapter has never heard of. */
  unknown?: readonly RawItem[];
  webhook?: WebhookSamples;
}

export interface WebhookSamples {
  /** A delivery of these bytes as the provider would sign it. */
  signed: (body: Buffer) => RawRequest;
  mediaType: 'application/json' | 'application/x-www-form-urlencoded';
  /** Lower case. */
  signatureHeader: string;
  /** Bodies by what they are. */
  deliveries: Readonly<Record<string, Buffer>>;
  /** Pairs of deliveries that tell of the same thing: a retry, an overlap of push and pull. */
  same?: readonly (readonly [Buffer, Buffer])[];
  /** A batch of which some item cannot be understood, and how many can. */
  poisoned?: { body: Buffer; good: number };
  handshake?: { request: RawRequest; response: RawResponse; wrong: RawRequest };
}

const SECRET = 'conformance kit, a secret of 32+ characters';
const CONTACT_ID = '0195a000-0000-7000-8000-000000000001';
const TEXTS = {
  'NUL and half surrogates': 'a\0b \ud83d c \udc69',
  'right-to-left': 'שלום ‏مرحبا‎ hello',
  'emoji of several code points': '👩‍👩‍👧‍👦 🇨🇿 👍🏽',
  'nothing but white space': ' \t\r\n ',
  'markup and quotes': `<script>alert("1")</script> '; DROP TABLE inbound; -- {{x}}`,
};
/** 2^53 + 1: the first whole number that a double cannot hold. */
const BIG_ID = '9007199254740993';

/** The tests that every channel passes: `conformance('sms', { adapter, items, … })` in a spec of the channel. */
export function conformance(channel: string, samples: ChannelSamples): void {
  const { adapter, webhook } = samples;

  describe(`${channel} is a channel`, () => {
    describe.each(Object.entries(samples.items))('%s', (_, item) => {
      it('becomes the same valid contact each time', async () => {
        const first = await normalized(adapter, item);
        expect(await normalized(adapter, item)).toEqual(first);
        if (first) expect(contactSchema.parse(first)).toEqual(first);
        expect(first ?? 'nobody’s contact').toMatchSnapshot();
      });

      it('cut off, empty or scrambled, still becomes a valid contact', async () => {
        const { body } = item;
        for (const broken of [Buffer.alloc(0), body.subarray(0, body.length >> 1), Buffer.from(body).reverse(), Buffer.from([0xff, 0xfe, 0x00])]) {
          const made = await toContact(adapter, { ...item, body: broken }, contextFor(item));
          if (made) expect(contactSchema.parse(made)).toEqual(made);
        }
      });
    });

    if (samples.withText) {
      it.each(Object.entries(TEXTS))('keeps %s', async (_, text) => {
        const made = await toContact(adapter, samples.withText!(text), contextFor(samples.withText!(text)));
        expect(made).toEqual(contactSchema.parse(made));
        expect(made!.flags.unparsable).toBeUndefined();
        expect((made!.text ?? '').trim()).toBe(storable(text).trim());
      });
    }

    if (samples.withId) {
      it('keeps ids that no number holds', async () => {
        const item = samples.withId!(BIG_ID);
        const made = await normalized(adapter, item);
        expect(item.dedupeKey).toContain(BIG_ID);
        expect(made!.externalId).toContain(BIG_ID);
      });
    }

    if (samples.unknown) {
      it.each(samples.unknown.map((item) => [item.dedupeKey, item] as const))('says what it does not know (%s) as a system contact', async (_, item) => {
        expect(await normalized(adapter, item)).toMatchObject({ kind: 'system' });
      });
    }

    if (webhook) describeWebhook(adapter, webhook);
  });
}

function describeWebhook(adapter: ChannelAdapter, webhook: WebhookSamples): void {
  const verify = (request: RawRequest): boolean => offline(() => adapter.verify!(request)).valid;
  const split = (body: Buffer): RawItem[] => adapter.split!(webhook.signed(body), new Date(0));
  const keys = (body: Buffer): string[] => split(body).map((item) => `${item.accountRef} ${item.dedupeKey}`);

  describe.each(Object.entries(webhook.deliveries))('a delivery: %s', (_, body) => {
    const request = webhook.signed(body);
    const signature = request.headers[webhook.signatureHeader]!;

    it('is believed as it was signed, and not with a byte changed in it', () => {
      expect(verify(request)).toBe(true);
      expect(verify({ ...request, body: flipped(body) })).toBe(false);
    });

    it('is not believed with another signature, an empty one, or none', () => {
      const { [webhook.signatureHeader]: _signature, ...unsigned } = request.headers;
      for (const forged of [flipped(Buffer.from(signature)).toString('latin1'), `${signature}=`, '', 'é'.repeat(signature.length)]) {
        expect(verify({ ...request, headers: { ...unsigned, [webhook.signatureHeader]: forged } })).toBe(false);
      }
      expect(verify({ ...request, headers: unsigned })).toBe(false);
    });

    it('has the same items each time it comes', () => {
      expect(keys(body)).toEqual(keys(body));
      expect(new Set(keys(body)).size).toBe(keys(body).length);
    });
  });

  it('signs bytes, not characters', () => {
    const text = 'żółć 👩‍👩‍👧 שלום';
    const body = webhook.mediaType === 'application/json' ? JSON.stringify({ text }) : new URLSearchParams({ Body: text }).toString();
    expect(verify(webhook.signed(Buffer.from(body)))).toBe(true);
  });

  if (webhook.mediaType === 'application/json') {
    it('does not believe JSON that was written anew', () => {
      const request = webhook.signed(Buffer.from('{"text":"caf\\u00e9",  "n": 1.0}'));
      expect(verify(request)).toBe(true);
      expect(verify({ ...request, body: Buffer.from(JSON.stringify(JSON.parse(request.body.toString()))) })).toBe(false);
    });
  }

  it.each((webhook.same ?? []).map((pair, index) => [index + 1, pair] as const))(
    'makes one item of two deliveries of the same thing (%d)',
    (_, [first, second]) => {
      expect(keys(second)).toEqual(keys(first));
    },
  );

  if (webhook.poisoned) {
    const { body, good } = webhook.poisoned;
    it('lets no item spoil its neighbours', async () => {
      const made = await Promise.all(split(body).map((item) => toContact(adapter, item, contextFor(item))));
      expect(made.length).toBeGreaterThan(good);
      expect(made.filter((contact) => contact && !contact.flags.unparsable)).toHaveLength(good);
    });
  }

  it('takes any signed bytes without a throw', () => {
    for (const body of ['', '{', 'null', '[]', '"text"', '{"entry":[null]}', '%', 'a=%E0%A4%A', '\0']) expect(() => split(Buffer.from(body))).not.toThrow();
  });

  if (webhook.handshake) {
    const { request, response, wrong } = webhook.handshake;
    it('answers the set-up question of its provider and nobody else’s', () => {
      expect(offline(() => adapter.handshake!(request))).toEqual(response);
      expect(offline(() => adapter.handshake!(wrong))).not.toEqual(response);
    });
    it('takes no delivery for a set-up question', () => {
      for (const body of Object.values(webhook.deliveries)) expect(adapter.handshake!(webhook.signed(body))).toBeUndefined();
    });
  }
}

async function normalized(adapter: ChannelAdapter, item: RawItem): Promise<Contact | undefined> {
  return offline(() => toContact(adapter, item, contextFor(item)));
}

function contextFor(item: RawItem): NormalizeContext {
  const { sha256, bytes } = blobOf(item.body);
  return {
    contactId: CONTACT_ID,
    raw: { ref: `inbound:conformance/${CONTACT_ID}`, sha256, mediaType: item.mediaType, bytes },
    receivedAt: item.receivedAt,
    secret: SECRET,
    saveBlob: async (content) => blobOf(content),
  };
}

function flipped(bytes: Buffer): Buffer {
  const changed = Buffer.from(bytes);
  const at = changed.length >> 1;
  changed[at] = changed[at]! ^ 1;
  return changed;
}

/** Runs `work` where nothing can connect to anything. */
function offline<T>(work: () => T): T {
  const connect = Object.getOwnPropertyDescriptor(Socket.prototype, 'connect')!;
  const restore = (): void => void Object.defineProperty(Socket.prototype, 'connect', connect);
  Object.defineProperty(Socket.prototype, 'connect', { ...connect, value: refuse });
  let result: T;
  try {
    result = work();
  } catch (error) {
    restore();
    throw error;
  }
  if (!(result instanceof Promise)) {
    restore();
    return result;
  }
  return result.finally(restore) as T;
}

function refuse(): never {
  throw new Error('verify, handshake and normalize make no connections');
}
