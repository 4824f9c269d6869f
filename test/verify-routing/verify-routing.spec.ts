import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { replicate } from '../../apps/tierline/src/simulate/replicate.ts';
import { reportOf, type Report } from '../../apps/tierline/src/simulate/report.ts';
import type { SimulationSpec } from '../../apps/tierline/src/simulate/spec.ts';
import { bars } from './bars.ts';
import type { Case } from './cases.ts';
import { compare } from './compare.ts';
import { readCases } from './read-cases.ts';

/** A few rows of each kind, shortly: `npm run verify:routing` runs all of them, and for longer. */
const EFFORTS = { exact: { replications: 4, contacts: 3_000 }, simulated: { replications: 3 } };
const SHORT_CONTACTS = 12_000;
const ROWS_OF_EACH_KIND = 2;
/** Heavily loaded systems ask for longer runs. */
const LIGHT_CONTACTS = 25_000;

/** They depend on how long one looks. */
const EXTREMES = ['minAgentUtil', 'maxAgentUtil', 'worstTypeDelayMin'];

const folder = process.env['VECTORS_DIR'] ?? join(import.meta.dirname, '../vectors');
const { cases: all, faults } = await readCases(folder, EFFORTS);
const cases = shortened(all);
const figures = cases.reduce((sum, { expected }) => sum + expected.length, 0);

/** The first light rows of each kind; those of another simulation as if that were exact. */
function shortened(all: readonly Case[]): Case[] {
  const light = all.filter(({ spec, expected }) => expected.some(({ simulated }) => simulated) || spec.length.contacts! <= LIGHT_CONTACTS);
  const perKind = new Map<string, number>();
  return light.flatMap((each) => {
    const seen = (perKind.get(each.kind) ?? 0) + 1;
    perKind.set(each.kind, seen);
    if (seen > ROWS_OF_EACH_KIND) return [];
    if (!each.expected.some(({ simulated }) => simulated)) return [each];
    return [
      {
        ...each,
        spec: { ...each.spec, warmUp: { contacts: 5_000 }, length: { contacts: SHORT_CONTACTS } },
        expected: each.expected.filter(({ figure }) => !EXTREMES.includes(figure)).map(({ simulated: _, ...exact }) => exact),
      },
    ];
  });
}

function simulate(spec: SimulationSpec): Report {
  return reportOf(
    spec,
    Array.from({ length: spec.replications }, (_, replication) => replicate(spec, replication)),
  );
}

describe('the simulator', () => {
  it('can be asked every row', () => {
    expect(faults).toEqual([]);
  });

  it.each(cases.map((each) => [`${each.kind}: ${each.title}`, each] as const))('agrees with %s', (_, { spec, expected }) => {
    const report = simulate(spec);
    const contacts = spec.replications * spec.length.contacts!;
    const different = expected
      .map((each) => ({ figure: each.figure, theirs: each.theirs, ...compare(each, each.ours(report), spec.replications, contacts, figures) }))
      .filter(({ agrees }) => !agrees);
    expect(different).toEqual([]);
  });

  it('meets the bar of fewest skills first', () => {
    const [fewestFirst] = bars;
    const reports = fewestFirst!.specs.map((spec) => simulate({ ...spec, replications: 2, warmUp: { contacts: 5_000 }, length: { contacts: 40_000 } }));
    expect(fewestFirst!.judge(reports)).toMatchObject({ met: true });
  });
});

describe('compare', () => {
  const ours = { mean: 1.02, ci95: 0.01 };

  it('refuses what lies outside, the less readily the more figures are compared', () => {
    const expected = { figure: 'wait', theirs: 1, ours: () => ours };
    expect(compare(expected, ours, 20, 1e6, 1).agrees).toBe(false);
    expect(compare(expected, ours, 20, 1e6, 1000).agrees).toBe(true);
  });

  it('counts the error of another simulation too', () => {
    const expected = { figure: 'wait', theirs: 1, simulated: { ci95: 0.01, replications: 20 }, ours: () => ours };
    expect(compare(expected, ours, 20, 1e6, 1).agrees).toBe(false);
    expect(compare({ ...expected, simulated: { ci95: 0.015, replications: 20 } }, ours, 20, 1e6, 1).agrees).toBe(true);
  });

  it('does not take what was too rare to be seen for a difference', () => {
    const nothing = { mean: 0, ci95: 0 };
    const rare = { figure: 'blocked', theirs: 1e-8, ours: () => nothing };
    expect(compare({ ...rare, theirs: 1e-3 }, nothing, 20, 1e6, 1).agrees).toBe(false);
    expect(compare({ ...rare, theirs: 1e-5, leastError: (n) => Math.sqrt(1e-5 / n) }, nothing, 20, 1e6, 100).agrees).toBe(true);
  });
});
