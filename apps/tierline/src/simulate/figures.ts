import type { Outcome, Tally } from './replicate.ts';
import type { SimulationSpec } from './spec.ts';

/** What became of contacts. Shares of `blocked` and `abandoned` are of all who came; waits and the other shares are of those who found a place. */
export interface ContactFigures {
  offered: number;
  blocked: number;
  abandoned: number;
  /** Of those who were served. */
  wait: number;
  /** Of all who found a place, those who gave up too. */
  waitOfAll: number;
  /** Served without any wait. */
  atOnce: number;
  /** Served within each wait of `report.waitLe`. */
  within: number[];
  /** How many were waiting. */
  queue: number;
  /** Of the served: by an agent whose primary skill is the type's first. */
  byPrimary: number;
}

/** The figures of one replication. Utilisation is the work done by the work that could be done. */
export interface Figures {
  total: ContactFigures & { worstTypeWait: number; utilisation: number; lowestUtilisation: number; highestUtilisation: number };
  types: ContactFigures[];
  groups: { utilisation: number; lowest: number; highest: number }[];
  agents: number[];
}

/** What an outcome says. */
export function figuresOf(spec: SimulationSpec, { types, busyTime, time }: Outcome): Figures {
  const contactFigures = (tally: Tally): ContactFigures => {
    const entered = tally.offered - tally.blocked;
    return {
      offered: tally.offered,
      blocked: tally.blocked / tally.offered,
      abandoned: tally.abandoned / tally.offered,
      wait: tally.waitOfServed / tally.served,
      waitOfAll: (tally.waitOfServed + tally.waitOfAbandoned) / entered,
      atOnce: tally.servedAtOnce / entered,
      within: tally.servedWithin.map((served) => served / entered),
      queue: tally.queueTime / time,
      byPrimary: tally.servedByPrimary / tally.served,
    };
  };
  const ofTypes = types.map(contactFigures);
  const capacities = spec.agents.flatMap(({ count, capacity }) => Array<number>(count).fill(capacity));
  const agents = capacities.map((capacity, agent) => busyTime[agent]! / (time * capacity));
  let first = 0;
  const groups = spec.agents.map(({ count }) => {
    const each = agents.slice(first, (first += count));
    return { utilisation: each.reduce((sum, one) => sum + one, 0) / count, lowest: Math.min(...each), highest: Math.max(...each) };
  });
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  return {
    total: {
      ...contactFigures(types.reduce(add)),
      worstTypeWait: Math.max(...ofTypes.map(({ wait }) => wait)),
      utilisation: sum([...busyTime]) / (time * sum(capacities)),
      lowestUtilisation: Math.min(...agents),
      highestUtilisation: Math.max(...agents),
    },
    types: ofTypes,
    groups,
    agents,
  };
}

function add(a: Tally, b: Tally): Tally {
  return {
    offered: a.offered + b.offered,
    blocked: a.blocked + b.blocked,
    abandoned: a.abandoned + b.abandoned,
    served: a.served + b.served,
    servedAtOnce: a.servedAtOnce + b.servedAtOnce,
    servedWithin: a.servedWithin.map((count, index) => count + b.servedWithin[index]!),
    waitOfServed: a.waitOfServed + b.waitOfServed,
    waitOfAbandoned: a.waitOfAbandoned + b.waitOfAbandoned,
    servedByPrimary: a.servedByPrimary + b.servedByPrimary,
    queueTime: a.queueTime + b.queueTime,
  };
}
