import type { Contact, TicketPriority } from '@tierline/events';

/** What an event or a list shows of a text. */
const PREVIEW_LENGTH = 500;
/** A subject made from a text that has none. */
const SUBJECT_LENGTH = 100;

/** How a ticket starts, judged by its first contact. */
export interface Opening {
  subject: string;
  priority: TicketPriority;
  labels: string[];
  language: string | null;
  /** No automatic answer may be sent. */
  silent: boolean;
}

/** Never nothing: a bounce or spam that belongs nowhere is a quiet ticket of low priority, marked as what it is. */
export function howToOpen(contact: Pick<Contact, 'channel' | 'subject' | 'text' | 'textStripped' | 'priority' | 'language' | 'flags'>): Opening {
  const { flags, language } = contact;
  const labels = (['bounce', 'spam', 'unparsable'] as const).filter((flag) => flags[flag]);
  return {
    subject: contact.subject?.trim() || firstLine(previewOf(contact)) || `(${contact.channel}, no subject)`,
    priority: flags.bounce || flags.spam ? 'low' : (contact.priority ?? 'normal'),
    labels,
    language: language?.reliable ? language.code : null,
    silent: Boolean(flags.bounce || flags.spam || flags.autoReply || flags.bulk || flags.optOut),
  };
}

/** The beginning of what was said, for routing rules and lists. */
export function previewOf({ textStripped, text, subject }: Pick<Contact, 'textStripped' | 'text' | 'subject'>): string {
  return cut(textStripped?.trim() || text?.trim() || subject?.trim() || '', PREVIEW_LENGTH);
}

/** Whether a machine answered: such a contact reopens nothing and stops no clock. */
export function isAutomatic({ flags }: Pick<Contact, 'flags'>): boolean {
  return Boolean(flags.autoReply || flags.bounce);
}

/** Whether somebody addresses us. Deliveries, edits, reactions and what we sent ourselves belong to a conversation, but begin none. */
export function isAddressedToUs({ kind, direction, flags }: Pick<Contact, 'kind' | 'direction' | 'flags'>): boolean {
  return direction === 'inbound' && !flags.echo && (kind === 'message' || kind === 'call');
}

function firstLine(text: string): string {
  return cut(text.split('\n', 1)[0]!.trim(), SUBJECT_LENGTH);
}

/** The first `length` UTF-16 units, without half a character at the end. */
function cut(text: string, length: number): string {
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length);
}
