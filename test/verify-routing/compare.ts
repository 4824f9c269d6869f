import { studentQuantile, type Interval } from '../../apps/tierline/src/simulate/student.ts';
import type { Expected } from './cases.ts';

/** A figure of ours held against theirs. */
export interface Comparison {
  ours: Interval;
  /** How far ours may be from theirs. */
  allowed: number;
  agrees: boolean;
}

/** The probability that any of all figures is refused though all are right. */
const SIGNIFICANCE = 0.01;

/** The values in the files are rounded. */
const ROUNDING = 1e-6;

/**
 * Whether ours lies within the combined 99 % interval. `figures` are compared in the whole run, so each by itself may be wrong with a probability of only
 * 1 % / `figures` (Bonferroni). Against an exact value ours alone has an error; against a simulated one both have, and since both are of the same model
 * and the same length the spread of a replication is estimated from both (Student's test of two samples).
 */
export function compare(expected: Expected, ours: Interval, replications: number, contacts: number, figures: number): Comparison {
  const deviationOf = (ci95: number, n: number): number => (ci95 / studentQuantile(0.975, n - 1)) * Math.sqrt(n);
  const { theirs, simulated, leastError } = expected;
  const oursDeviation = deviationOf(ours.ci95, replications);
  let degrees = replications - 1;
  let error = oursDeviation / Math.sqrt(replications);
  if (simulated) {
    const theirDegrees = simulated.replications - 1;
    const theirDeviation = deviationOf(simulated.ci95, simulated.replications);
    const variance = (degrees * oursDeviation ** 2 + theirDegrees * theirDeviation ** 2) / (degrees + theirDegrees);
    error = Math.sqrt(variance * (1 / replications + 1 / simulated.replications));
    degrees += theirDegrees;
  }
  error = Math.max(error, leastError?.(contacts) ?? 0);
  const allowed = studentQuantile(1 - SIGNIFICANCE / figures / 2, degrees) * error + ROUNDING * Math.max(simulated ? 1 : 0, theirs);
  return { ours, allowed, agrees: Math.abs(ours.mean - theirs) <= allowed };
}
