/** A mean over replications and half the width of its 95 % interval, by Student's distribution. NaN where too few replications have the figure. */
export interface Interval {
  mean: number;
  ci95: number;
}

/** A value with every number in it replaced by its interval. */
export type Intervals<T> = T extends number ? Interval : { [Key in keyof T]: Intervals<T[Key]> };

/** The intervals of the numbers in values of one shape, one value a replication. */
export function intervals<T>(samples: readonly T[]): Intervals<T> {
  const [first] = samples;
  if (typeof first === 'number') return interval(samples as readonly number[]) as Intervals<T>;
  if (Array.isArray(first)) return first.map((_, index) => intervals(samples.map((sample) => (sample as unknown[])[index]))) as unknown as Intervals<T>;
  return Object.fromEntries(
    Object.keys(first as object).map((key) => [key, intervals(samples.map((sample) => (sample as Record<string, unknown>)[key]))]),
  ) as Intervals<T>;
}

/** The interval of one figure. Replications that have no value (no contact of a type came) do not count. */
export function interval(samples: readonly number[]): Interval {
  const values = samples.filter((value) => !Number.isNaN(value));
  const n = values.length;
  if (n === 0) return { mean: NaN, ci95: NaN };
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  if (n === 1) return { mean, ci95: NaN };
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1);
  return { mean, ci95: studentQuantile(0.975, n - 1) * Math.sqrt(variance / n) };
}

/** The value that a Student variable of so many degrees of freedom stays below with this probability, which is above one half. */
export function studentQuantile(probability: number, degrees: number): number {
  let low = 0;
  let high = 1;
  while (1 - upperTail(high, degrees) < probability) high *= 2;
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (1 - upperTail(middle, degrees) < probability) low = middle;
    else high = middle;
  }
  return high;
}

/** P(T > t), t ≥ 0: half the regularized incomplete beta function of degrees / (degrees + t²). */
function upperTail(t: number, degrees: number): number {
  return incompleteBeta(degrees / 2, 0.5, degrees / (degrees + t * t)) / 2;
}

/** I_x(a, b) by its continued fraction (NIST DLMF 8.17.22), evaluated by Lentz's method. */
function incompleteBeta(a: number, b: number, x: number): number {
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(b, a, 1 - x);
  let fraction = 1;
  let c = 1;
  let d = 0;
  for (let m = 0; m < 500; m++) {
    const i = m >> 1;
    const numerator = m === 0 ? 1 : m % 2 === 0 ? (i * (b - i) * x) / ((a + m - 1) * (a + m)) : (-(a + i) * (a + b + i) * x) / ((a + m - 1) * (a + m));
    d = 1 / (1 + numerator * d);
    c = 1 + numerator / c;
    fraction *= c * d;
    if (m > 0 && Math.abs(c * d - 1) < 1e-14) break;
  }
  return (Math.exp(a * Math.log(x) + b * Math.log(1 - x) + logGamma(a + b) - logGamma(a) - logGamma(b)) * (fraction - 1)) / a;
}

/** ln Γ(x) for x > 0 by Stirling's series (NIST DLMF 5.11.1), moved up to where it is exact to a double. */
function logGamma(x: number): number {
  let shift = 0;
  while (x < 10) shift -= Math.log(x++);
  const inverse = 1 / (x * x);
  const series = (1 / 12 - inverse * (1 / 360 - inverse * (1 / 1260 - inverse * (1 / 1680 - inverse / 1188)))) / x;
  return shift + (x - 0.5) * Math.log(x) - x + Math.log(2 * Math.PI) / 2 + series;
}
