import type { ChannelAdapter, NormalizeContext, RawItem } from '@tierline/channel';
import type { Contact } from '@tierline/events';
import { toContact, whose } from './chat-contact.ts';

/** The chat as a channel. It hands nothing to anybody: an answer is sent when it is in the conversation. */
export class ChatAdapter implements ChannelAdapter {
  readonly channel = 'chat';
  readonly version = '1';

  normalize(item: RawItem, context: NormalizeContext): Promise<Contact> {
    return Promise.resolve(toContact(item, context, { name: this.channel, version: this.version }));
  }

  glimpse(item: RawItem): Partial<Contact> {
    return whose(item);
  }
}
