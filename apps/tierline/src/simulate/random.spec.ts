import { describe, expect, it } from '@jest/globals';
import { Random } from './random.ts';

const many = (count: number, draw: () => number): number[] => Array.from({ length: count }, draw);
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('Random', () => {
  it('gives the same numbers for the same key and others for another', () => {
    const draws = (...key: number[]): number[] => {
      const random = new Random(...key);
      return many(5, () => random.uniform());
    };
    expect(draws(1, 2, 3)).toEqual(draws(1, 2, 3));
    const firsts = [draws(1, 2, 3), draws(1, 3, 2), draws(2, 2, 3), draws(1, 2), draws(1, 2, 3, 0), draws(1 + 2 ** 32, 2, 3)].map(([first]) => first);
    expect(new Set(firsts).size).toBe(6);
  });

  it('spreads evenly over the unit interval', () => {
    const random = new Random(7);
    const bins = new Array<number>(100).fill(0);
    for (let n = 0; n < 100_000; n++) bins[Math.floor(random.uniform() * 100)]!++;
    const chiSquare = bins.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    // 99 degrees of freedom: between the 0.1 % and the 99.9 % point.
    expect(chiSquare).toBeGreaterThan(60);
    expect(chiSquare).toBeLessThan(150);
  });

  it('has the mean and the deviation of the exponential and the normal distribution', () => {
    const random = new Random(11);
    const exponential = many(200_000, () => random.exponential());
    expect(mean(exponential)).toBeCloseTo(1, 1.8);
    expect(mean(exponential.map((value) => value ** 2))).toBeCloseTo(2, 1);
    const normal = many(200_000, () => random.normal());
    expect(mean(normal)).toBeCloseTo(0, 1.8);
    expect(mean(normal.map((value) => value ** 2))).toBeCloseTo(1, 1.8);
  });

  it('has streams of neighbouring keys that know nothing of each other', () => {
    const one = new Random(1, 0, 0, 0);
    const other = new Random(1, 0, 0, 1);
    const products = many(100_000, () => (one.uniform() - 0.5) * (other.uniform() - 0.5));
    // Deviation of the mean: 1/12/√100,000 = 0.00026.
    expect(Math.abs(mean(products))).toBeLessThan(0.001);
  });
});
