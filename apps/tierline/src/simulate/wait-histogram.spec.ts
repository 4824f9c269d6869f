import { describe, expect, it } from '@jest/globals';
import { WaitHistogram } from './wait-histogram.ts';

const histogramOf = (waits: readonly number[]): WaitHistogram => {
  const histogram = new WaitHistogram();
  for (const wait of waits) histogram.add(wait);
  return histogram;
};

describe('WaitHistogram', () => {
  it('has steps of one round width to where few wait longer, after those who did not wait', () => {
    const steps = histogramOf([...Array<number>(1000).fill(0), ...Array.from({ length: 1000 }, (_, n) => (n + 1) / 100)]).steps(10);
    expect(steps.map(({ upTo }) => upTo)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, null]);
    expect(steps[0]!.share).toBe(0.5);
    for (const { share } of steps.slice(1, -1)) expect(share).toBeCloseTo(0.05, 2);
    expect(steps.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 12);
  });

  it('adds what others have counted', () => {
    const together = histogramOf([0, 1]);
    together.merge(histogramOf([0, 3]).counted());
    expect(together.steps(4)[0]).toEqual({ upTo: 0, share: 0.5 });
  });

  it('says that nobody waited, or nobody came', () => {
    expect(histogramOf([0, 0]).steps(10)).toEqual([{ upTo: 0, share: 1 }]);
    expect(histogramOf([]).steps(10)).toEqual([]);
  });
});
