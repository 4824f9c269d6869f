import { figuresOf, type Figures } from './figures.ts';
import type { Outcome } from './replicate.ts';
import type { SimulationSpec } from './spec.ts';
import { intervals, type Interval, type Intervals } from './student.ts';
import { WaitHistogram } from './wait-histogram.ts';

/** Bars of the picture between no wait and the longest. */
const STEPS = 16;

/** What the simulator answers: means over replications with their 95 % intervals. Times are in `timeUnit`. */
export interface Report {
  name?: string;
  seed: number;
  replications: number;
  timeUnit: SimulationSpec['timeUnit'];
  /** Simulated in all replications together, warm-up included. */
  contacts: number;
  /** The waits of which `within` tells the shares. */
  waitLe: number[];
  total: Intervals<Figures['total']>;
  types: (Intervals<Figures['types'][number]> & { name: string })[];
  agents: (Intervals<Figures['groups'][number]> & { name: string; each: Interval[] })[];
  /** Share of the served by wait: above the `upTo` before, up to and including this one; null is without end. */
  waits: { upTo: number | null; share: number }[];
}

/** Puts the outcomes of all replications together. */
export function reportOf(spec: SimulationSpec, outcomes: readonly Outcome[]): Report {
  const { total, types, groups, agents } = intervals(outcomes.map((outcome) => figuresOf(spec, outcome)));
  const waits = new WaitHistogram();
  for (const outcome of outcomes) waits.merge(outcome.waits);
  let first = 0;
  return {
    ...(spec.name !== undefined && { name: spec.name }),
    seed: spec.seed,
    replications: spec.replications,
    timeUnit: spec.timeUnit,
    contacts: outcomes.reduce((sum, outcome) => sum + outcome.contacts, 0),
    waitLe: spec.report.waitLe,
    total,
    types: types.map((figures, index) => ({ name: spec.types[index]!.name, ...figures })),
    agents: groups.map((figures, index) => ({ name: spec.agents[index]!.name, ...figures, each: agents.slice(first, (first += spec.agents[index]!.count)) })),
    waits: waits.steps(STEPS),
  };
}
