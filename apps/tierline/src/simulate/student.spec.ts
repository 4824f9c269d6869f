import { describe, expect, it } from '@jest/globals';
import { interval, intervals, studentQuantile } from './student.ts';

describe('studentQuantile', () => {
  // NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2.
  it.each([
    [0.975, 1, 12.706],
    [0.975, 2, 4.303],
    [0.975, 19, 2.093],
    [0.995, 4, 4.604],
    [0.999, 30, 3.385],
    [0.975, 100, 1.984],
  ])('at %d with %d degrees of freedom is %d', (probability, degrees, expected) => {
    expect(studentQuantile(probability, degrees)).toBeCloseTo(expected, 3);
  });
});

describe('interval', () => {
  it('is the mean and half the width by Student', () => {
    const { mean, ci95 } = interval([1, 2, 3, 4]);
    expect(mean).toBe(2.5);
    // Deviation 1.29099, √4 = 2, t(0.975, 3) = 3.18245.
    expect(ci95).toBeCloseTo(2.05426, 4);
  });

  it('leaves out replications without a value', () => {
    expect(interval([1, NaN, 3]).mean).toBe(2);
    expect(interval([NaN, NaN])).toEqual({ mean: NaN, ci95: NaN });
    expect(interval([5, NaN])).toEqual({ mean: 5, ci95: NaN });
  });
});

describe('intervals', () => {
  it('keeps the shape', () => {
    const combined = intervals([
      { wait: 1, types: [{ blocked: 0 }, { blocked: 1 }] },
      { wait: 3, types: [{ blocked: 0 }, { blocked: 1 }] },
    ]);
    expect(combined.wait.mean).toBe(2);
    expect(combined.types.map(({ blocked }) => blocked)).toEqual([
      { mean: 0, ci95: 0 },
      { mean: 1, ci95: 0 },
    ]);
  });
});
