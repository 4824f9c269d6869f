import { expect, it } from '@jest/globals';
import { neverSent } from './never-sent.ts';

const failure = (fields: object): Error => Object.assign(new Error('failed'), fields);
const refused = failure({ code: 'ECONNREFUSED', syscall: 'connect' });

it.each<[string, unknown, boolean]>([
  ['refused', refused, true],
  ['no such name', failure({ code: 'ENOTFOUND', syscall: 'getaddrinfo' }), true],
  ['refused, said by a library', failure({ code: 'ECONNREFUSED', cause: refused }), true],
  ['every address refused', new AggregateError([refused, failure({ code: 'ETIMEDOUT', syscall: 'connect' })]), true],
  ['an expired certificate', failure({ code: 'CERT_HAS_EXPIRED' }), true],
  ['one address answered, then broke', new AggregateError([refused, failure({ code: 'ECONNRESET', syscall: 'read' })]), false],
  ['broken while waiting for the answer', failure({ code: 'ECONNRESET', syscall: 'read' }), false],
  ['no answer in time', failure({ code: 'ECONNABORTED' }), false],
  ['anything else', 'failed', false],
])('%s', (_, error, expected) => {
  expect(neverSent(error)).toBe(expected);
});
