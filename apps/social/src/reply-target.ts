import type { MessageRequested } from '@tierline/events';

/** Where on X an answer goes. */
export type ReplyTarget = { kind: 'post'; postId: string } | { kind: 'message'; userId: string } | { kind: 'nowhere' };

/** A contact says by its `replyTo` which post to answer; failing that, the post that began the conversation is. Messages go to the person. */
export function replyTarget({ conversationKey, to }: Pick<MessageRequested['data'], 'conversationKey' | 'to'>): ReplyTarget {
  const post = /^post:(\d+)$/.exec(to.normalized)?.[1];
  if (post !== undefined) return { kind: 'post', postId: post };
  const [, kind, thread] = /^x:\d+:(post|dm):(\d+)$/.exec(conversationKey) ?? [];
  if (kind === 'post') return { kind: 'post', postId: thread! };
  return kind === 'dm' && /^\d+$/.test(to.normalized) ? { kind: 'message', userId: to.normalized } : { kind: 'nowhere' };
}
