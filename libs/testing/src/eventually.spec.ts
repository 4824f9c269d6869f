import { describe, expect, it } from '@jest/globals';
import { eventually } from './eventually.ts';

describe('eventually', () => {
  it('gives the first answer that is neither false nor null', async () => {
    const answers = [false, null, 0, 1];
    expect(await eventually(() => answers.shift()!)).toBe(0);
  });

  it('takes an expectation that holds at last', async () => {
    let calls = 0;
    await eventually(async () => expect(await Promise.resolve(++calls)).toBe(3));
    expect(calls).toBe(3);
  });

  it('says what it waited for and what it saw last', async () => {
    const waiting = eventually(() => Promise.reject(new Error('still 2 rows')), { timeoutMs: 20, message: 'the third row' });
    await expect(waiting).rejects.toThrow('the third row (waited 20 ms); at last: still 2 rows');
    await expect(eventually(() => null, { timeoutMs: 0 })).rejects.toThrow('the probe answered null');
  });
});
