import { describe, expect, it } from '@jest/globals';
import { recordIn, withOrigin } from './kafka-record.ts';
import { FOREIGN } from './source.ts';

const at = (value: Buffer | string | null) => recordIn('ticket', 3, { offset: '41', value: typeof value === 'string' ? Buffer.from(value) : value });

describe('recordIn', () => {
  it('finds the writer and the position that the relay has put in', () => {
    const payload = withOrigin('{"specversion":"1.0","data":{"logpos":7}}', 'email_log', 12);
    expect(JSON.parse(payload)).toEqual({ logsource: 'email_log', logpos: 12, specversion: '1.0', data: { logpos: 7 } });
    expect(at(payload)).toEqual({ source: 'email_log', topic: 'ticket', bucket: 3, pos: 12, payload, offset: 41 });
  });

  it.each(['{"specversion":"1.0"}', '{"logpos":1,"logsource":"x"}', '{"logsource":"x","logpos":-1,"a":1}', 'anything', ''])(
    'takes %j for the word of a stranger',
    (payload) => {
      expect(at(payload)).toEqual({ source: FOREIGN, topic: 'ticket', bucket: 3, pos: 42, payload, offset: 41 });
    },
  );

  it('takes a tombstone for an empty payload', () => {
    expect(at(null)).toMatchObject({ source: FOREIGN, payload: '' });
  });

  it.each([
    ['no UTF-8', Buffer.from([0x7b, 0xff, 0xfe])],
    ['NUL, which PostgreSQL does not store', Buffer.from('{"a":"\0"}')],
  ])('keeps bytes that are no text as they are: %s', (_, bytes) => {
    const { payload } = at(bytes);
    expect(payload).toMatch(/^data:;base64,/);
    expect(Buffer.from(payload.slice('data:;base64,'.length), 'base64')).toEqual(bytes);
  });
});
