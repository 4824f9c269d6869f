import { expect, it } from '@jest/globals';
import { MAX_ANSWERS_AN_HOUR, whyNotAnswer } from './may-answer.ts';

const OWN = new Set(['support@acme.example', 'help@acme.example']);

it.each([
  ['ann@example.org', 0, undefined],
  ['ann@example.org', MAX_ANSWERS_AN_HOUR - 1, undefined],
  ['ann@example.org', MAX_ANSWERS_AN_HOUR, 'in the last hour'],
  ['Help@acme.example', 0, 'a mailbox of ours'],
  ['support+t.x.y@acme.example', 0, 'a mailbox of ours'],
  ['no-reply@example.org', 0, 'nobody reads'],
  ['MAILER-DAEMON@example.org', 0, 'nobody reads'],
])('%s after %d answers', (address, answers, reason) => {
  const why = whyNotAnswer(address, OWN, answers);
  if (reason === undefined) expect(why).toBeUndefined();
  else expect(why).toContain(reason);
});
