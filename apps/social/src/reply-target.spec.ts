import { expect, it } from '@jest/globals';
import type { Party } from '@tierline/events';
import { replyTarget, type ReplyTarget } from './reply-target.ts';

const handle = (normalized: string): Party => ({ type: 'handle', value: '@ann', normalized, verified: true });

it.each<[string, string, Party, ReplyTarget]>([
  ['the post that was written to us', 'x:17:post:100', handle('post:9007199254740993'), { kind: 'post', postId: '9007199254740993' }],
  ['the beginning of the conversation, where no post is named', 'x:17:post:100', handle('22'), { kind: 'post', postId: '100' }],
  ['the person, in a private conversation', 'x:17:dm:22', handle('22'), { kind: 'message', userId: '22' }],
  ['nowhere, where only X can encrypt', 'x:17:chat:22:17', handle('22'), { kind: 'nowhere' }],
  [
    'nowhere, for somebody whom X does not know',
    'x:17:dm:22',
    { type: 'email', value: 'a@b.example', normalized: 'a@b.example', verified: true },
    { kind: 'nowhere' },
  ],
])('goes to %s', (_, conversationKey, to, expected) => {
  expect(replyTarget({ conversationKey, to })).toEqual(expected);
});
