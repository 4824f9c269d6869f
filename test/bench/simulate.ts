import { replicate } from '../../apps/tierline/src/simulate/replicate.ts';
import { readSpec } from '../../apps/tierline/src/simulate/spec.ts';
import { medianOf, rate, type Benchmark } from './figure.ts';

const AGENTS = 100;
const UTILISATION = 0.9;
const CONTACTS = 1_000_000;

const perSecond = (work: () => void): number => {
  const start = performance.now();
  work();
  return (CONTACTS / (performance.now() - start)) * 1000;
};

/** M/M/100 in simulated time: every contact through the matcher, on one core, with all that the report counts. */
export const simulate: Benchmark = async (bench) => {
  const ours = await medianOf(bench, 'simulated contacts', async (run) => {
    const spec = readSpec({
      timeUnit: 'minute',
      seed: run,
      length: { contacts: CONTACTS },
      types: [
        { name: 'all', arrivals: { kind: 'poisson', rate: UTILISATION * AGENTS }, service: { kind: 'exponential', mean: 1 }, skills: [{ skill: 'all' }] },
      ],
      agents: [{ name: 'agents', count: AGENTS, skills: [{ skill: 'all' }] }],
      report: { waitLe: [0.1, 0.5] },
    });
    return perSecond(() => void replicate(spec, 0));
  });
  const bare = await medianOf(bench, 'M/M/c loop', async () => perSecond(() => void meanWaitOfLoop()));
  return [rate('simulated contacts of M/M/100, one core', ours, 200_000, bare)];
};

/** Who comes takes the agent who is free first, and waits until then: a heap of times and nothing else. */
function meanWaitOfLoop(): number {
  const freeAt = new Float64Array(AGENTS);
  let now = 0;
  let waited = 0;
  for (let contact = 0; contact < CONTACTS; contact++) {
    now -= Math.log(1 - Math.random()) / (UTILISATION * AGENTS);
    const start = Math.max(now, freeAt[0]!);
    waited += start - now;
    const free = start - Math.log(1 - Math.random());
    let index = 0;
    for (let child = 1; child < AGENTS; child = 2 * index + 1) {
      if (child + 1 < AGENTS && freeAt[child + 1]! < freeAt[child]!) child++;
      if (freeAt[child]! >= free) break;
      freeAt[index] = freeAt[child]!;
      index = child;
    }
    freeAt[index] = free;
  }
  return waited / CONTACTS;
}
