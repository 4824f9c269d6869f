import type { ChannelAdapter, NormalizeContext, RawItem } from '@tierline/channel';
import type { Contact } from '@tierline/events';
import { toContact } from './chat-contact.ts';

/** Web chat as a channel. It sends nothing to a provider: what is said becomes a row, and the connections read rows. */
export class ChatAdapter implements ChannelAdapter {
  readonly channel = 'chat';
  readonly version = '1';

  normalize(item: RawItem, context: NormalizeContext): Promise<Contact> {
    return Promise.resolve(toContact(item, context, { name: this.channel, version: this.version }));
  }
}
