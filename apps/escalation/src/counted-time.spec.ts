import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { countedMs, deadline, type Pause } from './counted-time.ts';

describe('counted time', () => {
  it.each<[string, number, number, Pause[], number]>([
    ['all of it', 0, 100, [], 100],
    ['nothing backwards', 100, 0, [], 0],
    ['not a pause within', 0, 100, [{ from: 20, to: 50 }], 70],
    ['not the part of a pause that lies within', 30, 100, [{ from: 20, to: 50 }], 50],
    ['not what a lasting pause covers', 0, 100, [{ from: 20, to: null }], 20],
    ['all before a pause', 0, 20, [{ from: 20, to: null }], 20],
  ])('counts %s', (_, from, to, pauses, counted) => {
    expect(countedMs(from, to, pauses)).toBe(counted);
  });

  it.each<[string, number, Pause[], number | undefined]>([
    ['without a pause', 60, [], 60],
    ['after a pause', 60, [{ from: 20, to: 50 }], 90],
    ['at the beginning of a pause, when the time is full there', 20, [{ from: 20, to: null }], 20],
    ['never, while a pause lasts', 21, [{ from: 20, to: null }], undefined],
    ['without a pause that ended before the start', 60, [{ from: -50, to: -20 }], 60],
  ])('is over %s', (_, ms, pauses, at) => {
    expect(deadline(0, ms, pauses)).toBe(at);
  });

  it('is over at the least instant at which enough has counted', () => {
    const pausesOf = (lengths: number[]): Pause[] => {
      let at = 0;
      return lengths.flatMap((ms, index) => {
        const from = at;
        at += ms;
        return index % 2 === 1 ? [{ from, to: at }] : [];
      });
    };
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 12 }),
        fc.integer({ min: -20, max: 60 }),
        fc.integer({ min: 1, max: 300 }),
        (lengths, from, ms) => {
          const pauses = pausesOf(lengths);
          const at = deadline(from, ms, pauses)!;
          expect(countedMs(from, at, pauses)).toBe(ms);
          expect(countedMs(from, at - 1, pauses)).toBeLessThan(ms);
        },
      ),
    );
  });
});
