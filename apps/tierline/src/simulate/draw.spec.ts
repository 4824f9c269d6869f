import { describe, expect, it } from '@jest/globals';
import { arrivalTimes, durations } from './draw.ts';
import { Random } from './random.ts';

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('durations', () => {
  it.each([
    { kind: 'exponential', mean: 10 } as const,
    { kind: 'deterministic', value: 10 } as const,
    { kind: 'lognormal', mean: 10, deviation: 5 } as const,
    { kind: 'empirical', values: [5, 15, 10] } as const,
  ])('of $kind have the mean that was asked for, in milliseconds', (distribution) => {
    const draw = durations(structuredClone(distribution) as never, new Random(1), 60_000);
    expect(mean(Array.from({ length: 50_000 }, draw)) / 600_000).toBeCloseTo(1, 1.5);
  });

  it('of lognormal have the deviation that was asked for', () => {
    const draw = durations({ kind: 'lognormal', mean: 10, deviation: 5 }, new Random(2), 1);
    const values = Array.from({ length: 100_000 }, draw);
    expect(Math.sqrt(mean(values.map((value) => (value - 10) ** 2)))).toBeCloseTo(5, 0);
  });
});

describe('arrivalTimes', () => {
  it('come at the rate of a Poisson process', () => {
    const next = arrivalTimes({ kind: 'poisson', rate: 4 }, new Random(3), 1000);
    const times = Array.from({ length: 40_000 }, next);
    expect(times.at(-1)! / 10_000_000).toBeCloseTo(1, 1.5);
  });

  it('follow the steps of a schedule, again and again', () => {
    const next = arrivalTimes(
      {
        kind: 'scheduled',
        steps: [
          { duration: 1, rate: 30 },
          { duration: 2, rate: 0 },
          { duration: 1, rate: 10 },
        ],
      },
      new Random(4),
      1000,
    );
    const counts = [0, 0, 0, 0];
    let cycles = 0;
    for (let at = next(); at < 4_000_000; at = next()) {
      counts[Math.floor(at / 1000) % 4]!++;
      cycles = Math.floor(at / 4000) + 1;
    }
    expect(cycles).toBe(1000);
    expect(counts[1]! + counts[2]!).toBe(0);
    expect(counts[0]! / 30_000).toBeCloseTo(1, 1.5);
    expect(counts[3]! / 10_000).toBeCloseTo(1, 1.3);
  });

  it('repeat what was recorded, and end', () => {
    const next = arrivalTimes({ kind: 'recorded', times: [0, 0.5, 0.5] }, new Random(5), 1000);
    expect([next(), next(), next(), next()]).toEqual([0, 500, 500, Infinity]);
  });
});
