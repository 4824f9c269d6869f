import type { ChannelAdapter, NormalizeContext, RawItem } from '@tierline/channel';
import type { Contact } from '@tierline/events';
import { toContact } from './contact-request.ts';

/** The intake API as a channel. It has no way out: answers wait at the contact until they are fetched. */
export class PortalAdapter implements ChannelAdapter {
  readonly channel = 'portal';
  readonly version = '1';

  normalize(item: RawItem, context: NormalizeContext): Promise<Contact> {
    return Promise.resolve(toContact(item, context, { name: this.channel, version: this.version }));
  }
}
