import type { Random } from './random.ts';
import type { Arrivals, Distribution } from './spec.ts';

/** Draws durations in milliseconds. */
export function durations(distribution: Distribution, random: Random, unitMs: number): () => number {
  switch (distribution.kind) {
    case 'exponential': {
      const meanMs = distribution.mean * unitMs;
      return () => meanMs * random.exponential();
    }
    case 'deterministic': {
      const valueMs = distribution.value * unitMs;
      return () => valueMs;
    }
    case 'lognormal': {
      const variance = Math.log(1 + (distribution.deviation / distribution.mean) ** 2);
      const location = Math.log(distribution.mean * unitMs) - variance / 2;
      const scale = Math.sqrt(variance);
      return () => Math.exp(location + scale * random.normal());
    }
    case 'empirical': {
      const valuesMs = distribution.values.map((value) => value * unitMs);
      return () => valuesMs[Math.floor(random.uniform() * valuesMs.length)]!;
    }
  }
}

/** Gives the instants of arrivals one after the other, in milliseconds from the start; infinity when there are no more. */
export function arrivalTimes(arrivals: Arrivals, random: Random, unitMs: number): () => number {
  switch (arrivals.kind) {
    case 'poisson': {
      const meanMs = unitMs / arrivals.rate;
      let atMs = 0;
      return () => (atMs += meanMs * random.exponential());
    }
    case 'scheduled': {
      const steps = arrivals.steps.map(({ duration, rate }) => ({ durationMs: duration * unitMs, perMs: rate / unitMs }));
      let step = 0;
      let stepStartMs = 0;
      let atMs = 0;
      return () => {
        // The expected number of arrivals until the next one is exponential with mean 1; it is used up at the rate of each step.
        for (let expected = random.exponential(); ; step = (step + 1) % steps.length) {
          const { durationMs, perMs } = steps[step]!;
          const stepEndMs = stepStartMs + durationMs;
          if (expected < (stepEndMs - atMs) * perMs) return (atMs += expected / perMs);
          expected -= (stepEndMs - atMs) * perMs;
          atMs = stepStartMs = stepEndMs;
        }
      };
    }
    case 'recorded': {
      let index = 0;
      return () => (arrivals.times[index++] ?? Infinity) * unitMs;
    }
  }
}
