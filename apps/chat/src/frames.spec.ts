import { describe, expect, it } from '@jest/globals';
import { readFrame } from './frames.ts';

const read = (value: unknown) => readFrame(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)));

describe('a frame', () => {
  it.each([
    [{ token: 'a.b' }, { token: 'a.b', since: 0 }],
    [
      { token: 'a.b', since: 12, later: true },
      { token: 'a.b', since: 12 },
    ],
    [
      { cid: 'c-1', text: 'hello' },
      { cid: 'c-1', text: 'hello', attachments: [] },
    ],
    [
      { cid: 'c-1', text: '', attachments: ['x'] },
      { cid: 'c-1', text: '', attachments: ['x'] },
    ],
    [{ ping: 7 }, { ping: 7 }],
  ])('%j is read', (sent, frame) => {
    expect(read(sent)).toEqual(frame);
  });

  it.each(['', '{', 'hello', '\u0000', '{"cid":"c-1","text":"x"', '['.repeat(60_000)])('that is no JSON says so (%#)', (text) => {
    expect(read(text)).toMatchObject({ error: { code: 'frame.malformed' } });
  });

  it.each([null, 1, 'text', [], [{ ping: 1 }], {}, { text: 'no cid' }])('of no kind that we know, %j, says so', (value) => {
    expect(read(JSON.stringify(value))).toMatchObject({ error: { code: 'frame.unknown' } });
  });

  it.each([
    [{ cid: '', text: 'x' }, ''],
    [{ cid: 'ü', text: 'x' }, 'ü'],
    [{ cid: 'c'.repeat(65), text: 'x' }, 'c'.repeat(64)],
    [{ cid: 7, text: 'x' }, undefined],
    [{ cid: 'c-1' }, 'c-1'],
    [{ cid: 'c-1', text: ' \n' }, 'c-1'],
    [{ cid: 'c-1', text: 'x'.repeat(10_001) }, 'c-1'],
    [{ cid: 'c-1', text: 'x', attachments: Array.from({ length: 11 }, String) }, 'c-1'],
    [{ token: 'a.b', since: -1 }, undefined],
    [{ token: 'a.b', since: 2 ** 31 }, undefined],
    [{ token: 'a.b', since: '1' }, undefined],
    [{ ping: { deep: true } }, undefined],
  ])('%j that is not as it should be says which message it was', (value, cid) => {
    const { error } = read(value) as { error: { code: string; cid?: string } };
    expect([error.code, error.cid]).toEqual(['frame.invalid', cid]);
  });
});
