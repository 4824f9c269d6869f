import { describe, expect, it } from '@jest/globals';
import { figuresOf, type Figures } from './figures.ts';
import { replicate } from './replicate.ts';
import { readSpec } from './spec.ts';

/** Contacts at given times, each of two minutes, for one agent. */
const written = {
  timeUnit: 'minute',
  length: { contacts: 100 },
  types: [
    {
      name: 'a',
      arrivals: { kind: 'recorded', times: [0, 1, 3, 10] },
      service: { kind: 'deterministic', value: 2 },
      skills: [{ skill: 'a' }],
    },
  ],
  agents: [{ name: 'agent', count: 1, skills: [{ skill: 'a' }] }],
  report: { waitLe: [0, 0.5, 1] },
};

function figures(changed: object): Figures {
  const spec = readSpec({ ...written, ...changed });
  return figuresOf(spec, replicate(spec, 0));
}

describe('replicate', () => {
  it('lets contacts wait for the one agent, to the millisecond', () => {
    // 0–2 at once; 1 waits until 2, to 4; 3 waits until 4, to 6; 10 at once. Counted are ten minutes.
    const { total } = figures({});
    expect(total).toMatchObject({
      offered: 4,
      blocked: 0,
      abandoned: 0,
      wait: 0.5,
      atOnce: 0.5,
      within: [0.5, 0.5, 1],
      queue: 0.2,
      utilisation: 0.6,
    });
  });

  it('turns away who finds the waiting room full, and not who need not wait', () => {
    const [type] = written.types;
    const types = [{ ...type, arrivals: { kind: 'recorded', times: [0, 0.5, 1, 2] } }];
    // At 2 the agent is freed, takes the one who waits, and leaves a place to the next.
    expect(figures({ types, room: { places: 1, counts: 'waiting' } }).total).toMatchObject({ offered: 4, blocked: 0.25 });
    expect(figures({ types, room: { places: 0, counts: 'waiting' } }).total.blocked).toBe(0.5);
    expect(figures({ types, room: { places: 1, counts: 'system' } }).total.blocked).toBe(0.25);
  });

  it('lets contacts give up, and forgets the patience of those who are served', () => {
    const [type] = written.types;
    const types = [{ ...type, arrivals: { kind: 'recorded', times: [0, 1, 1.2, 1.4] }, patience: { kind: 'deterministic', value: 1.5 } }];
    // 1 is served at 2, before its 2.5; 1.2 and 1.4 give up at 2.7 and 2.9.
    expect(figures({ types }).total).toMatchObject({ abandoned: 0.5, wait: 0.5, waitOfAll: 1, atOnce: 0.25 });
  });

  it('counts only what comes after the warm-up, and of the time only what is asked', () => {
    expect(figures({ warmUp: { contacts: 2 } }).total).toMatchObject({ offered: 2, wait: 0.5, utilisation: 3 / 7 });
    // From 2 to 4: the second contact is served all the time, and the third waits half of it.
    expect(figures({ warmUp: { duration: 2 }, length: { duration: 2 } }).total).toMatchObject({ offered: 1, wait: 1, utilisation: 1, queue: 0.5 });
  });

  it('serves several at once as far as the capacity goes', () => {
    const agents = [{ name: 'agent', count: 1, skills: [{ skill: 'a' }], capacity: 2 }];
    expect(figures({ agents }).total).toMatchObject({ wait: 0, atOnce: 1, utilisation: 0.3 });
  });

  it('gives the same for the same seed and replication, and else not', () => {
    const [type] = written.types;
    const spec = readSpec({
      ...written,
      length: { contacts: 2000 },
      types: [{ ...type, arrivals: { kind: 'poisson', rate: 1.5 }, service: { kind: 'exponential', mean: 2 }, patience: { kind: 'exponential', mean: 3 } }],
      agents: [{ name: 'agent', count: 3, skills: [{ skill: 'a' }] }],
    });
    expect(replicate(spec, 0)).toEqual(replicate(spec, 0));
    expect(replicate(spec, 0).types).not.toEqual(replicate(spec, 1).types);
    expect(replicate(spec, 0).types).not.toEqual(replicate({ ...spec, seed: 2 }, 0).types);
  });
});
