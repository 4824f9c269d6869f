import type { AgentProfile, MatcherRules, Presence } from '@tierline/events';
import type { Need, Profile } from './eligibility.ts';
import { Heap } from './heap.ts';
import { isDynamic, type DynamicKey } from './match-rules.ts';
import { Numbered } from './numbered.ts';

/** Weights are decimal fractions; in millionths they are added exactly. */
export const inUnits = (weight: number): number => Math.round(weight * 1e6);

/** How much an agent can carry and does, in units. */
export interface Load {
  capacity: number;
  used: number;
  /** The part of `used` that interrupts other work. */
  live: number;
}

export interface Agent extends Load {
  readonly number: number;
  profile: AgentProfile;
  skills: Profile;
  presence: Presence;
  responding: boolean;
  idleSinceMs: number;
  awaySinceMs: number | undefined;
  /** The ticket that rings, or -1. */
  offered: number;
  /** The tickets that they have are chained, from this one on; -1 without any. */
  firstAssigned: number;
  group: Group | undefined;
  /** Whether they are looked at when this event's changes are matched. */
  isFreed: boolean;
}

/** Agents of one profile with one load: whatever fits one of them fits all. */
interface Group extends Readonly<Load> {
  readonly waiting: Heap;
}

/** Everybody whom the pool knows. */
export class Agents extends Numbered {
  readonly all: Agent[] = [];

  get(agentId: string): Agent | undefined {
    const number = this.find(agentId);
    return number < 0 ? undefined : this.all[number];
  }
}

/** Whether there is room for a ticket of the need. What interrupts looks only at what does so too. */
export function fits({ weight, interrupts }: Need, { capacity, used, live }: Readonly<Load>): boolean {
  return (interrupts ? live : used) + weight <= capacity;
}

/** The agents of one profile who could be offered something now. */
export class ReadyAgents {
  private readonly groups: Group[] = [];
  private readonly keys: readonly DynamicKey[];
  /** How many agents would answer an offer, now or when they have finished something, by how much they can carry. */
  private readonly counted = new Map<number, number>();
  count = 0;

  constructor(rules: MatcherRules) {
    this.keys = rules.agentOrder.filter(isDynamic);
  }

  add(agent: Agent, agents: Agents): void {
    const { capacity, used, live } = agent;
    let group = this.groups.find((other) => other.used === used && other.capacity === capacity && other.live === live);
    if (!group) {
      group = { capacity, used, live, waiting: new Heap(agents) };
      this.groups.push(group);
    }
    group.waiting.push(agent.number, this.keys.includes('longest_idle') ? agent.idleSinceMs : 0);
    agent.group = group;
    this.count++;
  }

  remove(agent: Agent): void {
    agent.group!.waiting.remove(agent.number);
    agent.group = undefined;
    this.count--;
  }

  /** Who of those that are wanted and have room for a ticket of the need comes first. */
  best(need: Need, agents: Agents, isWanted: (agent: number) => boolean): Agent | undefined {
    let best: Agent | undefined;
    for (const group of this.groups) {
      if (group.waiting.size === 0 || !fits(need, group)) continue;
      const first = group.waiting.first(isWanted);
      if (first < 0) continue;
      const agent = agents.all[first]!;
      if (!best || this.compare(agent, best) < 0) best = agent;
    }
    return best;
  }

  /** Compares by what changes with the agents' work. */
  private compare(a: Agent, b: Agent): number {
    for (const key of this.keys) {
      const difference = valueOf(key, a) - valueOf(key, b);
      if (difference !== 0) return difference;
    }
    return a.profile.agentId < b.profile.agentId ? -1 : 1;
  }

  countIn({ capacity }: Agent, change: 1 | -1): void {
    this.counted.set(capacity, (this.counted.get(capacity) ?? 0) + change);
  }

  /** How many agents would answer an offer some day and could carry the weight. */
  countable(weight: number): number {
    let count = 0;
    for (const [capacity, agents] of this.counted) if (capacity >= weight) count += agents;
    return count;
  }
}

/** What is less comes first. */
export function valueOf(key: DynamicKey, { capacity, used, idleSinceMs }: Agent): number {
  return key === 'longest_idle' ? idleSinceMs : used / capacity;
}
