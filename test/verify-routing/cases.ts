import { readSpec, type SimulationSpec } from '../../apps/tierline/src/simulate/spec.ts';
import type { Report } from '../../apps/tierline/src/simulate/report.ts';
import type { Interval } from '../../apps/tierline/src/simulate/student.ts';

/** What a row says of one figure, and where the simulator's report has it. */
export interface Expected {
  figure: string;
  theirs: number;
  /** Half the width of the 95 % interval over `replications`, where the row was simulated itself. */
  simulated?: { ci95: number; replications: number };
  ours: (report: Report) => Interval;
  /** The least standard error that so many contacts can have by the theory, for what may be too rare to have been seen at all. */
  leastError?: (contacts: number) => number;
}

/** A row of the vectors as a question to the simulator. A row that speaks of two systems becomes two. */
export interface Case {
  kind: string;
  title: string;
  spec: SimulationSpec;
  expected: Expected[];
}

/** How long each case is simulated. */
export interface Effort {
  replications: number;
  /** At least so many contacts in each replication. */
  contacts: number;
}

/** Everything takes a minute on average, unless a row says otherwise. */
const poisson = (rate: number): object => ({ kind: 'poisson', rate });
const exponential = (mean: number): object => ({ kind: 'exponential', mean });
const skill = (name: string): { skill: string } => ({ skill: name });

/**
 * How many contacts pass in one relaxation time of M/M/c, the time in which it forgets where it began (Cohen, The Single Server Queue, for c = 1):
 * a heavily loaded system must run longer to say as much. With few places it forgets sooner, as a random walk between two walls.
 */
const relaxation = (rho: number, places = Infinity): number => Math.min(rho / (1 - Math.sqrt(rho)) ** 2, places ** 2 / 5);

/** P(wait > 0) in M/M/c. */
function erlangC(servers: number, erlangs: number): number {
  let erlangB = 1;
  for (let n = 1; n <= servers; n++) erlangB = (erlangs * erlangB) / (n + erlangs * erlangB);
  return erlangB / (1 - (erlangs / servers) * (1 - erlangB));
}

function length(effort: Effort, servers: number, contactsToRelax: number): object {
  return {
    replications: effort.replications,
    warmUp: { contacts: Math.ceil(Math.max(2_000, 20 * servers, 6 * contactsToRelax)) },
    length: { contacts: Math.ceil(Math.max(effort.contacts, 20 * contactsToRelax)) },
  };
}

function spec(written: object): SimulationSpec {
  return readSpec({ timeUnit: 'minute', seed: 20_051, ...written });
}

/** A share of contacts: as binomial as it can be. */
export const probability = (theirs: number) => ({ theirs, leastError: (contacts: number) => Math.sqrt((theirs * (1 - theirs)) / contacts) });

/** A mean that comes from the few who wait, and who wait an exponential time: E[W²] = 2 E[W]² / P(W > 0). */
const meanOfWaiting = (theirs: number, pWait: number) => ({ theirs, leastError: (contacts: number) => theirs * Math.sqrt(2 / (pWait * contacts)) });

const withins = (row: Readonly<Record<string, number>>, title: string): Expected[] =>
  Object.entries(row).map(([wait, theirs], index) => ({
    figure: `${title} ${Number(wait)})`,
    ...probability(theirs),
    ours: ({ total }) => total.within[index]!,
  }));

const complement = ({ mean, ci95 }: Interval): Interval => ({ mean: 1 - mean, ci95 });
const scaled = ({ mean, ci95 }: Interval, by: number): Interval => ({ mean: mean * by, ci95: ci95 * by });

const oneType = (rate: number, servers: number): object => ({
  types: [{ name: 'all', arrivals: poisson(rate), service: exponential(1), skills: [skill('all')] }],
  agents: [{ name: 'servers', count: servers, skills: [skill('all')] }],
});

interface Mmc {
  c: number;
  rho: number;
  a: number;
  erlang_b: number;
  erlang_c: number;
  mean_wait: number;
  mean_queue: number;
  p_wait_le: Record<string, number>;
  utilisation: number;
}

function mmc(row: Mmc, effort: Effort): Case[] {
  const { c, a, rho, erlang_c } = row;
  return [
    {
      kind: 'mmc',
      title: `M/M/${c} at ρ ${rho}`,
      spec: spec({ ...oneType(a, c), ...length(effort, c, relaxation(rho)), report: { waitLe: Object.keys(row.p_wait_le).map(Number) } }),
      expected: [
        { figure: 'P(wait > 0), Erlang C', ...probability(erlang_c), ours: ({ total }) => complement(total.atOnce) },
        { figure: 'mean wait', ...meanOfWaiting(row.mean_wait, erlang_c), ours: ({ total }) => total.wait },
        { figure: 'mean queue', ...meanOfWaiting(row.mean_queue, erlang_c), ours: ({ total }) => total.queue },
        ...withins(row.p_wait_le, 'P(wait ≤'),
        { figure: 'utilisation', theirs: row.utilisation, ours: ({ total }) => total.utilisation },
      ],
    },
    {
      kind: 'mmc',
      title: `M/M/${c}/${c} at ${a} Erlangs`,
      spec: spec({ ...oneType(a, c), ...length({ ...effort, contacts: effort.contacts / 2 }, c, 0), room: { places: 0, counts: 'waiting' } }),
      expected: [{ figure: 'blocked, Erlang B', ...probability(row.erlang_b), ours: ({ total }) => total.blocked }],
    },
  ];
}

interface Mmck {
  c: number;
  K: number;
  a: number;
  blocking: number;
  mean_queue: number;
  mean_wait_entry: number;
  p_zero_wait_entry: number;
  utilisation: number;
  p_wait_le_entry: Record<string, number>;
}

function mmck(row: Mmck, effort: Effort): Case[] {
  const { c, K, a } = row;
  const pWait = 1 - row.p_zero_wait_entry;
  return [
    {
      kind: 'mmck',
      title: `M/M/${c}/${K} at ${a} Erlangs`,
      spec: spec({
        ...oneType(a, c),
        ...length(effort, c, relaxation(a / c, K - c)),
        room: { places: K - c, counts: 'system' },
        report: { waitLe: Object.keys(row.p_wait_le_entry).map(Number) },
      }),
      expected: [
        { figure: 'blocked', ...probability(row.blocking), ours: ({ total }) => total.blocked },
        { figure: 'mean queue', ...meanOfWaiting(row.mean_queue, pWait), ours: ({ total }) => total.queue },
        { figure: 'mean wait', ...meanOfWaiting(row.mean_wait_entry, pWait), ours: ({ total }) => total.wait },
        { figure: 'P(wait = 0)', ...probability(row.p_zero_wait_entry), ours: ({ total }) => total.atOnce },
        { figure: 'utilisation', theirs: row.utilisation, ours: ({ total }) => total.utilisation },
        ...withins(row.p_wait_le_entry, 'P(wait ≤'),
      ],
    },
  ];
}

interface Priority {
  c: number;
  rho: number;
  share_high: number;
  mean_wait_high: number;
  mean_wait_low: number;
  mean_wait_all: number;
  mean_wait_fcfs: number;
}

function priority(row: Priority, effort: Effort): Case[] {
  const { c, rho, share_high } = row;
  const pWait = erlangC(c, c * rho);
  const types = [
    { name: 'high', share: share_high, priority: 'urgent' },
    { name: 'low', share: 1 - share_high, priority: 'low' },
  ].map(({ name, share, priority }) => ({ name, priority, arrivals: poisson(c * rho * share), service: exponential(1), skills: [skill('all')] }));
  const common = { agents: [{ name: 'servers', count: c, skills: [skill('all')] }], ...length(effort, c, relaxation(rho)) };
  return [
    {
      kind: 'priority',
      title: `M/M/${c} at ρ ${rho}, ${100 * share_high} % before the others`,
      // As long as no contact ever waits so long, nothing but the priority counts.
      spec: spec({ ...common, types, rules: { contactOrder: 'strict', maxAge: 1e6 } }),
      expected: [
        { figure: 'mean wait, high', ...meanOfWaiting(row.mean_wait_high, pWait * share_high), ours: ({ types: [high] }) => high!.wait },
        { figure: 'mean wait, low', ...meanOfWaiting(row.mean_wait_low, pWait * (1 - share_high)), ours: ({ types: [, low] }) => low!.wait },
        { figure: 'mean wait, all', ...meanOfWaiting(row.mean_wait_all, pWait), ours: ({ total }) => total.wait },
      ],
    },
    {
      kind: 'priority',
      title: `M/M/${c} at ρ ${rho}, all alike`,
      spec: spec({ ...common, types: types.map((type) => ({ ...type, priority: 'normal' })), rules: { contactOrder: 'oldest' } }),
      expected: [{ figure: 'mean wait, all', ...meanOfWaiting(row.mean_wait_fcfs, pWait), ours: ({ total }) => total.wait }],
    },
  ];
}

interface ErlangA {
  c: number;
  a: number;
  theta: number;
  p_abandon: number;
  mean_wait_all: number;
  mean_queue: number;
  p_wait_positive: number;
  p_served_within: Record<string, number>;
  utilisation: number;
}

function erlangA(row: ErlangA, effort: Effort): Case[] {
  const { c, a, theta } = row;
  return [
    {
      kind: 'erlang_a',
      title: `M/M/${c}+M at ${a} Erlangs, θ ${theta}`,
      spec: spec({
        // It forgets as fast as contacts are served or give up, whichever is slower.
        ...length(effort, c, a * Math.max(1, 1 / theta)),
        types: [{ name: 'all', arrivals: poisson(a), service: exponential(1), patience: exponential(1 / theta), skills: [skill('all')] }],
        agents: [{ name: 'servers', count: c, skills: [skill('all')] }],
        report: { waitLe: Object.keys(row.p_served_within).map(Number) },
      }),
      expected: [
        { figure: 'abandoned', ...probability(row.p_abandon), ours: ({ total }) => total.abandoned },
        { figure: 'mean wait, all', ...meanOfWaiting(row.mean_wait_all, row.p_wait_positive), ours: ({ total }) => total.waitOfAll },
        { figure: 'mean queue', ...meanOfWaiting(row.mean_queue, row.p_wait_positive), ours: ({ total }) => total.queue },
        { figure: 'P(wait > 0)', ...probability(row.p_wait_positive), ours: ({ total }) => complement(total.atOnce) },
        ...withins(row.p_served_within, 'P(served within'),
        { figure: 'utilisation', theirs: row.utilisation, ours: ({ total }) => total.utilisation },
      ],
    },
  ];
}

interface SharedRoom {
  T: number;
  c: number;
  a_each: number;
  room: number;
  rule: 'waiting' | 'system';
  blocking: number;
  mean_queue_each: number;
  mean_wait_entry: number;
  p_zero_wait_entry: number;
  utilisation: number;
  p_wait_le_entry: Record<string, number>;
}

function sharedRoom(row: SharedRoom, effort: Effort): Case[] {
  const { T, c, a_each, room, rule } = row;
  const names = Array.from({ length: T }, (_, index) => `type ${index + 1}`);
  const pWait = 1 - row.p_zero_wait_entry;
  return [
    {
      kind: 'shared_room',
      title: `${T} × M/M/${c} at ${a_each} Erlangs each, ${room} places (${rule})`,
      spec: spec({
        ...length({ ...effort, contacts: 2 * effort.contacts }, T * c, T * relaxation(a_each / c, room)),
        types: names.map((name) => ({ name, arrivals: poisson(a_each), service: exponential(1), skills: [skill(name)] })),
        agents: names.map((name) => ({ name, count: c, skills: [skill(name)] })),
        room: { places: room, counts: rule },
        report: { waitLe: Object.keys(row.p_wait_le_entry).map(Number) },
      }),
      expected: [
        { figure: 'blocked', ...probability(row.blocking), ours: ({ total }) => total.blocked },
        { figure: 'mean queue, each', ...meanOfWaiting(row.mean_queue_each, pWait), ours: ({ total }) => scaled(total.queue, 1 / T) },
        { figure: 'mean wait', ...meanOfWaiting(row.mean_wait_entry, pWait), ours: ({ total }) => total.wait },
        { figure: 'P(wait = 0)', ...probability(row.p_zero_wait_entry), ours: ({ total }) => total.atOnce },
        { figure: 'utilisation', theirs: row.utilisation, ours: ({ total }) => total.utilisation },
        ...withins(row.p_wait_le_entry, 'P(wait ≤'),
      ],
    },
  ];
}

interface NModel {
  lambda_A: number;
  lambda_B: number;
  mu: number;
  buffer: number;
  prefer: 's1' | 's2';
  freed2: 'fcfs' | 'A' | 'B';
  mean_wait_A: number;
  mean_wait_B: number;
  blocking_A: number;
  blocking_B: number;
  mean_wait_all: number;
  util_1: number;
  util_2: number;
}

function nModel(row: NModel, effort: Effort): Case[] {
  const { lambda_A, lambda_B, mu, buffer, prefer, freed2 } = row;
  return [
    {
      kind: 'n_model',
      title: `N-model, A prefers ${prefer}, server 2 takes ${freed2}`,
      spec: spec({
        ...length({ ...effort, contacts: 2 * effort.contacts }, 2, buffer ** 2),
        types: [
          { name: 'A', arrivals: poisson(lambda_A), service: exponential(1 / mu), skills: [skill('A')] },
          { name: 'B', arrivals: poisson(lambda_B), service: exponential(1 / mu), skills: [skill('B')] },
        ],
        agents: [
          { name: 'server 1', count: 1, skills: [skill('A')] },
          { name: 'server 2', count: 1, skills: freed2 === 'B' ? [skill('B'), skill('A')] : [skill('A'), skill('B')] },
        ],
        room: { places: buffer, counts: 'waiting' },
        rules: { agentOrder: [prefer === 's1' ? 'fewest_skills' : 'most_skills'], contactOrder: freed2 === 'fcfs' ? 'oldest' : 'skill_order' },
      }),
      expected: [
        { figure: 'mean wait, A', theirs: row.mean_wait_A, ours: ({ types: [a] }) => a!.wait },
        { figure: 'mean wait, B', theirs: row.mean_wait_B, ours: ({ types: [, b] }) => b!.wait },
        { figure: 'blocked, A', theirs: row.blocking_A, ours: ({ types: [a] }) => a!.blocked },
        { figure: 'blocked, B', theirs: row.blocking_B, ours: ({ types: [, b] }) => b!.blocked },
        { figure: 'mean wait, all', theirs: row.mean_wait_all, ours: ({ total }) => total.wait },
        { figure: 'utilisation, 1', theirs: row.util_1, ours: ({ agents: [one] }) => one!.utilisation },
        { figure: 'utilisation, 2', theirs: row.util_2, ours: ({ agents: [, two] }) => two!.utilisation },
      ],
    },
  ];
}

/** The kinds of rows by the name that they have in the files. */
export const KINDS = { mmc, mmck, priority, erlang_a: erlangA, shared_room: sharedRoom, n_model: nModel } as const;
