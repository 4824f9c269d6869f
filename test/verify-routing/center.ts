import { readSpec, type SimulationSpec } from '../../apps/tierline/src/simulate/spec.ts';
import { probability, type Case, type Effort, type Expected } from './cases.ts';
import type { Report } from '../../apps/tierline/src/simulate/report.ts';
import type { Interval } from '../../apps/tierline/src/simulate/student.ts';

/** The call center of the reference simulation: 90 agents, six types of contacts of ten minutes, 30 places to wait. */
const TYPES = 6;
const AGENTS = 90;
const PLACES = 30;
const SERVICE_MIN = 10;

const WAIT_LE_MIN = [20 / 60, 0.5, 5];

const AGENT_RULES = { level: 'skill_order', fewest: 'fewest_skills', most: 'most_skills' } as const;
const QUEUE_RULES = { level: 'skill_order', fcfs: 'oldest' } as const;

/** What is asked of the center. */
export interface Center {
  /** `k=2`: every agent has two skills; `mixed 60x1+30x6`: 60 agents have one, 30 have six. */
  label: string;
  /** Erlangs offered by all types together. */
  load: number;
  agentRule: keyof typeof AGENT_RULES;
  queueRule: keyof typeof QUEUE_RULES;
  roomRule: 'waiting' | 'system';
}

export function centerSpec(
  { label, load, agentRule, queueRule, roomRule }: Center,
  length: { replications: number; contacts: number; warmUpContacts: number },
): SimulationSpec {
  return readSpec({
    timeUnit: 'minute',
    seed: 20_052,
    replications: length.replications,
    warmUp: { contacts: length.warmUpContacts },
    length: { contacts: length.contacts },
    types: Array.from({ length: TYPES }, (_, type) => ({
      name: `type ${type}`,
      arrivals: { kind: 'poisson', rate: load / SERVICE_MIN / TYPES },
      service: { kind: 'exponential', mean: SERVICE_MIN },
      skills: [{ skill: `type ${type}` }],
    })),
    agents: groupsOf(label).flatMap(agentsOf),
    room: { places: PLACES, counts: roomRule },
    rules: { agentOrder: [AGENT_RULES[agentRule], 'longest_idle'], contactOrder: QUEUE_RULES[queueRule] },
    report: { waitLe: WAIT_LE_MIN },
  });
}

function groupsOf(label: string): { count: number; skills: number }[] {
  const [, each] = /^k=(\d+)$/.exec(label) ?? [];
  const groups = each
    ? [{ count: AGENTS, skills: Number(each) }]
    : [...label.matchAll(/(\d+)x(\d+)/g)].map(([, count, skills]) => ({ count: Number(count), skills: Number(skills) }));
  if (groups.length === 0) throw new Error(`a center of agents "${label}" is not known`);
  return groups;
}

/** The agents of one number of skills, as many of each primary type; their other skills are handed out evenly. */
function agentsOf({ count, skills }: { count: number; skills: number }): object[] {
  return Array.from({ length: count }, (_, agent) => {
    const primary = agent % TYPES;
    const nth = Math.floor(agent / TYPES);
    const others = Array.from({ length: skills - 1 }, (_, m) => (primary + 1 + ((nth + m) % (TYPES - 1))) % TYPES);
    return { name: `${skills} skills, ${agent + 1}`, count: 1, skills: [primary, ...others].map((type) => ({ skill: `type ${type}` })) };
  });
}

type Simulated = Record<(typeof FIGURES)[number][0], { mean: number; ci95: number }>;
export interface CenterRow extends Center, Simulated {
  set: string;
  reps: number;
  callsPerRep: number;
  warmup: number;
}

const FIGURES = [
  ['blocking', ({ total }: Report): Interval => total.blocked],
  ['meanDelayMin', ({ total }: Report): Interval => total.wait],
  ['pZeroDelay', ({ total }: Report): Interval => total.atOnce],
  ['pDelayLe20s', ({ total }: Report): Interval => total.within[0]!],
  ['pDelayLe30s', ({ total }: Report): Interval => total.within[1]!],
  ['pDelayLe5min', ({ total }: Report): Interval => total.within[2]!],
  ['utilisation', ({ total }: Report): Interval => total.utilisation],
  ['minAgentUtil', ({ total }: Report): Interval => total.lowestUtilisation],
  ['maxAgentUtil', ({ total }: Report): Interval => total.highestUtilisation],
  ['meanQueue', ({ total }: Report): Interval => total.queue],
  ['shareServedByPrimary', ({ total }: Report): Interval => total.byPrimary],
  ['worstTypeDelayMin', ({ total }: Report): Interval => total.worstTypeWait],
] as const;

/**
 * A row of the reference simulation. A replication is as long as theirs, because the least and the most of 90 agents lie the further apart the shorter one looks;
 * fewer of them are needed, because the spread between replications is then known from both sides.
 */
export function center(row: CenterRow, effort: Pick<Effort, 'replications'>): Case[] {
  if (!(row.queueRule in QUEUE_RULES)) throw new Error(`the matcher has no queue rule ${row.queueRule}`);
  if (!(row.agentRule in AGENT_RULES)) throw new Error(`the matcher has no agent rule ${row.agentRule}`);
  const expected = FIGURES.filter(([figure]) => figure in row).map(([figure, ours]): Expected => {
    const theirs = row[figure];
    const isShareOfContacts = /^(p[A-Z]|blocking)/.test(figure);
    return {
      figure,
      ...(isShareOfContacts ? probability(theirs.mean) : { theirs: theirs.mean }),
      simulated: { ci95: theirs.ci95, replications: row.reps },
      ours,
    };
  });
  return [
    {
      kind: row.set,
      title: `${row.label} at ${row.load} Erlangs, agents by ${row.agentRule}, contacts by ${row.queueRule}, room ${row.roomRule}`,
      spec: centerSpec(row, { replications: effort.replications, contacts: row.callsPerRep, warmUpContacts: row.warmup }),
      expected,
    },
  ];
}
