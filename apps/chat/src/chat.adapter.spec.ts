import { conformance } from '@tierline/channel/conformance';
import type { RawItem } from '@tierline/channel';
import { ChatAdapter } from './chat.adapter.ts';
import { toItem, type Said } from './chat-contact.ts';
import type { Visitor } from './visitor.ts';

const ann = {
  site: 'shop',
  session: '0195a000-0000-7000-8000-00000000000a',
  conversation: '0195a000-0000-7000-8000-00000000000b',
  expiresAt: Date.parse('2026-03-31'),
};
const file = {
  id: '0195a000-0000-7000-8000-00000000000c',
  filename: 'parcel.png',
  mediaType: 'image/png',
  bytes: 3,
  sha256: '0'.repeat(64),
  disposition: 'attachment' as const,
  ref: `blob:${'0'.repeat(64)}`,
};

function item(said: Partial<Said>, visitor: Visitor = ann): RawItem {
  return toItem(visitor, { cid: 'c-1', text: 'Where is my parcel?', attachments: [], ...said }, new Date('2026-03-01T10:00:00.000Z'));
}

conformance('chat', {
  adapter: new ChatAdapter(),
  items: {
    'the least that a message has': item({}),
    'a file, and a visitor who says who they are': item({ attachments: [file] }, { ...ann, name: 'Ann', email: 'ann@example.org' }),
  },
  withText: (text) => item({ text }),
  withId: (cid) => item({ cid }),
});
