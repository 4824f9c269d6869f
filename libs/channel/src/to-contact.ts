import { contact as contactSchema, type Contact } from '@tierline/events';
import type { ChannelAdapter, NormalizeContext, RawItem } from './adapter.ts';
import { shortened } from './shortened.ts';
import { storable, storableKey } from './storable.ts';

const FIELDS = contactSchema.shape as Record<string, { safeParse(value: unknown): { success: boolean; data?: unknown } }>;

/**
 * The contact that an item is, valid and storable whatever the adapter does: a throw or an answer that does not fit the schema gives a degraded contact
 * with what could be read. Undefined for what is nobody's contact. Throws only what `context.saveBlob` threw: that says nothing about the item.
 */
export async function toContact(adapter: ChannelAdapter, item: RawItem, context: NormalizeContext): Promise<Contact | undefined> {
  const storage: { failure?: unknown } = {};
  const watched: NormalizeContext = {
    ...context,
    saveBlob: (bytes, mediaType) =>
      context.saveBlob(bytes, mediaType).catch((error: unknown) => {
        storage.failure = error;
        throw error;
      }),
  };
  let candidate: Partial<Contact> | undefined;
  try {
    const normalized = await adapter.normalize(item, watched);
    if (!normalized) return undefined;
    candidate = { ...storable(normalized), ...identity(adapter, item, context), conversationKey: storableKey(normalized.conversationKey) };
    const valid = contactSchema.safeParse(candidate);
    if (valid.success) return shortened(valid.data);
  } catch (error) {
    if (storage.failure !== undefined) throw error;
  }
  return unparsable(adapter, item, context, candidate);
}

/** The contact that an item is when nobody can say more: what its adapter can glimpse, and of `read` every field that fits. */
export function unparsable(adapter: ChannelAdapter, item: RawItem, context: NormalizeContext, read: Partial<Contact> = {}): Contact {
  const all: Partial<Contact> = { ...glimpse(adapter, item), ...read };
  const fitting = Object.entries(all).filter(([field, value]) => value !== undefined && FIELDS[field]?.safeParse(value).success);
  const receivedAt = context.receivedAt.toISOString();
  const made = contactSchema.parse({
    kind: 'message',
    channel: adapter.channel,
    direction: 'inbound',
    externalId: item.dedupeKey,
    conversationKey: `${adapter.channel}:${item.accountRef}:${context.contactId}`,
    from: { type: 'anonymous', value: '', normalized: '', verified: false },
    occurredAt: receivedAt,
    occurredAtSource: 'receipt',
    receivedAt,
    auth: { verdict: 'unknown' },
    ...Object.fromEntries(fitting),
    ...identity(adapter, item, context),
    flags: { ...(FIELDS['flags']!.safeParse(all.flags).success && all.flags), unparsable: true },
  });
  return shortened(made);
}

/** What the runtime says about a contact, whatever its adapter says. */
function identity(adapter: ChannelAdapter, item: RawItem, context: NormalizeContext): Pick<Contact, 'id' | 'accountRef' | 'dedupeKey' | 'raw' | 'adapter'> {
  return {
    id: context.contactId,
    accountRef: item.accountRef,
    dedupeKey: item.dedupeKey,
    raw: context.raw,
    adapter: { name: adapter.channel, version: adapter.version },
  };
}

function glimpse(adapter: ChannelAdapter, item: RawItem): Partial<Contact> {
  try {
    return storable(adapter.glimpse?.(item) ?? {});
  } catch {
    return {};
  }
}
