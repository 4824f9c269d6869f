import { createHmac } from 'node:crypto';
import { ProbeAdapter, rawItem } from '../test/probe-adapter.ts';
import type { ChannelAdapter, RawItem, RawRequest } from './adapter.ts';
import { conformance } from './conformance.ts';

const sign = (body: Buffer): string => createHmac('sha256', 'key').update(body).digest('hex');

/** A channel that does as it should: what the kit says of it shows that the kit can be passed. */
class SignedProbe extends ProbeAdapter implements ChannelAdapter {
  verify(request: RawRequest): { valid: true } | { valid: false; reason: string } {
    return request.headers['x-signature'] === sign(request.body) ? { valid: true } : { valid: false, reason: 'no match' };
  }

  split(request: RawRequest): RawItem[] {
    let events: unknown;
    try {
      events = (JSON.parse(request.body.toString()) as { events?: unknown } | null)?.events;
    } catch {
      return [];
    }
    return Array.isArray(events)
      ? events.map((event: { id?: number } | null, index) => rawItem(String(event?.id ?? index), Buffer.from(JSON.stringify(event))))
      : [];
  }

  override normalize: ProbeAdapter['normalize'] = async (item, context) => {
    const { from, text, type } = JSON.parse(item.body.toString()) as { from: string; text: string; type?: string };
    const contact = this.contact(item, context, from, text);
    return type === undefined ? contact : { ...contact, kind: 'system' };
  };

  handshake(request: RawRequest): { status: number; mediaType: string; body: string } | undefined {
    const challenge = request.query.get('challenge');
    return challenge === null ? undefined : { status: 200, mediaType: 'text/plain', body: challenge };
  }
}

const batch = (...events: unknown[]): Buffer => Buffer.from(JSON.stringify({ events }));
const signed = (body: Buffer): RawRequest => ({
  method: 'POST',
  url: 'https://example.org/probe',
  headers: { 'x-signature': sign(body) },
  query: new URLSearchParams(),
  body,
});
const asking = (challenge: string): RawRequest => ({ ...signed(Buffer.alloc(0)), method: 'GET', query: new URLSearchParams({ challenge }) });

conformance('the probe', {
  adapter: new SignedProbe(),
  items: { 'a message': rawItem('1', { from: 'ada', text: 'hello' }), 'what cannot be parsed': rawItem('2', Buffer.from('{')) },
  withText: (text) => rawItem('3', { from: 'ada', text }),
  withId: (id) => rawItem(id),
  unknown: [rawItem('4', { type: 'brand.new', from: 'ada', text: '' })],
  webhook: {
    signed,
    mediaType: 'application/json',
    signatureHeader: 'x-signature',
    deliveries: { 'two messages': batch({ id: 1, from: 'ada', text: 'a' }, { id: 2, from: 'bob', text: 'b' }) },
    same: [[batch({ id: 1, from: 'ada', text: 'a' }), batch({ from: 'ada', id: 1, text: 'a', retry: true })]],
    poisoned: { body: batch({ id: 1, from: 'ada', text: 'a' }, null), good: 1 },
    handshake: { request: asking('x'), response: { status: 200, mediaType: 'text/plain', body: 'x' }, wrong: asking('y') },
  },
});
