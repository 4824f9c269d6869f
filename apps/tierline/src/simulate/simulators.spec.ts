import { describe, expect, it } from '@jest/globals';
import { replicate } from './replicate.ts';
import { Simulators } from './simulators.service.ts';
import { readSpec } from './spec.ts';

const spec = readSpec({
  timeUnit: 'minute',
  replications: 5,
  length: { contacts: 2000 },
  types: [{ name: 'a', arrivals: { kind: 'poisson', rate: 2.5 }, service: { kind: 'exponential', mean: 1 }, skills: [{ skill: 'a' }] }],
  agents: [{ name: 'agents', count: 3, skills: [{ skill: 'a' }] }],
});

describe('Simulators', () => {
  it('come to the same with any number of threads, and as without any', async () => {
    const expected = Array.from({ length: 5 }, (_, replication) => replicate(spec, replication));
    for (const threads of [1, 3]) {
      const simulators = new Simulators(threads);
      const shares: number[] = [];
      try {
        expect(await simulators.run(spec, (share) => shares.push(share))).toEqual(expected);
      } finally {
        await simulators.close();
      }
      expect(shares.at(-1)).toBe(1);
      expect(shares).toEqual([...shares].sort((a, b) => a - b));
    }
  });

  it('fail with what went wrong in the thread', async () => {
    const simulators = new Simulators(1);
    try {
      await expect(simulators.run({ ...spec, types: undefined as never })).rejects.toThrow('Cannot read properties of undefined');
    } finally {
      await simulators.close();
    }
  });
});
