import type { RawItem } from '@tierline/channel';
import { conformance } from '@tierline/channel/conformance';
import { ChatAdapter } from './chat.adapter.ts';
import { toItem } from './chat-contact.ts';

const session = { site: 'shop', conversation: '0195a000-0000-7000-8000-000000000001', issuedAt: 0 };

function item(text: string, cid = 'c-1', brand?: string): RawItem {
  return toItem({ cid, text }, session, brand, new Date('2026-03-01T10:00:00.000Z'));
}

conformance('chat', {
  adapter: new ChatAdapter(),
  items: { 'a message': item('Hello?'), 'a message to a brand': item('Hello?', 'c-2', 'Acme'), 'a long message': item('x'.repeat(20_000)) },
  withText: (text) => item(text),
  withId: (id) => item('Hello?', id),
});
