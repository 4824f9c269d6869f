import { conformance } from '@tierline/channel/conformance';
import type { RawItem } from '@tierline/channel';
import { contactRequest, toItem } from './contact-request.ts';
import { PortalAdapter } from './portal.adapter.ts';

const from = { type: 'email', value: 'Ada@Example.org' };

function item(body: object, key = 'key-1'): RawItem {
  const request = { from, text: 'Where is my parcel?', ...body };
  const attachments = [
    {
      id: '0195a000-0000-7000-8000-00000000000a',
      filename: 'label.png',
      mediaType: 'image/png',
      bytes: 3,
      sha256: '0'.repeat(64),
      disposition: 'attachment' as const,
      ref: `blob:${'0'.repeat(64)}`,
    },
  ];
  const meta = { client: 'shop', brand: 'acme', attachments: 'uploadIds' in body ? attachments : [] };
  return toItem(contactRequest.parse(request), Buffer.from(JSON.stringify(request)), key, meta, new Date('2026-03-01T10:00:00.000Z'));
}

conformance('portal', {
  adapter: new PortalAdapter(),
  items: {
    'the least that a contact needs': item({}),
    'everything that it may have': item({
      from: { ...from, display: 'Ada', verified: true },
      subject: 'Parcel 12',
      conversation: 'order-12',
      priority: 'high',
      occurredAt: '2026-03-01T09:00:00.000Z',
      uploadIds: ['0195a000-0000-7000-8000-00000000000a'],
      fields: { order: 12, express: true },
    }),
    'a telephone number': item({ from: { type: 'phone', value: '+14155550100' } }),
  },
  withText: (text) => item({ text }),
  withId: (id) => item({}, id),
});
