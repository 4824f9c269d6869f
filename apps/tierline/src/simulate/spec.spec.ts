import { describe, expect, it } from '@jest/globals';
import { readSpec, SpecError } from './spec.ts';

const written = {
  timeUnit: 'minute',
  length: { contacts: 1000 },
  types: [{ name: 'billing', arrivals: { kind: 'poisson', rate: 1 }, service: { kind: 'exponential', mean: 5 }, skills: [{ skill: 'billing', minLevel: 2 }] }],
  agents: [{ name: 'care', count: 6, skills: [{ skill: 'billing', level: 2 }] }],
};

function faultsOf(changed: object): readonly string[] {
  try {
    readSpec({ ...written, ...changed });
  } catch (error) {
    return (error as SpecError).faults;
  }
  return [];
}

describe('readSpec', () => {
  it('fills in what need not be said', () => {
    const spec = readSpec(written);
    expect(spec).toMatchObject({ seed: 1, replications: 10, rules: {}, report: { waitLe: [] } });
    expect(spec.types[0]).toMatchObject({ priority: 'normal', weight: 1 });
    expect(spec.agents[0]!.capacity).toBe(1);
  });

  it('names every fault at once, each with its place', () => {
    const [type] = written.types;
    const faults = faultsOf({
      timeUnit: 'day',
      length: { contacts: 10, duration: 10 },
      types: [
        { ...type, skills: [{ skill: 'billing', minLevel: 3 }] },
        { ...type, service: { kind: 'exponential', mean: 5 }, arrivals: { kind: 'recorded', times: [2, 1] } },
      ],
    });
    expect(faults.map((fault) => fault.split(':')[0])).toEqual(['timeUnit', 'length', 'types.1.arrivals.times']);
  });

  it('names what is wrong between parts beside what is wrong in others', () => {
    const [type] = written.types;
    const faults = faultsOf({ seed: -1, types: [type, type, { ...type, name: 'sales', skills: [{ skill: 'sales' }] }] });
    expect(faults).toEqual(['seed: Too small: expected number to be >=0', 'types.1.name: billing is there already', 'types.2: no agent can serve sales']);
  });

  it('refuses a contact that is more than any agent can carry, and a schedule without arrivals', () => {
    const [type] = written.types;
    expect(faultsOf({ types: [{ ...type, weight: 2 }] })).toEqual(['types.0: no agent can serve billing']);
    expect(faultsOf({ types: [{ ...type, arrivals: { kind: 'scheduled', steps: [{ duration: 1, rate: 0 }] } }] })).toEqual([
      'types.0.arrivals.steps: some step must have a rate above 0',
    ]);
  });

  it('refuses what it does not know', () => {
    expect(faultsOf({ agent: [] })).toEqual(['(top): Unrecognized key: "agent"']);
  });
});
