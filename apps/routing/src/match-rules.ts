import { TIER_SKILL, type AgentKey, type AgentProfile, type MatcherRules, type SkillRequirement, type TicketPriority } from '@tierline/events';
import type { SkillLevels } from './skill-match.ts';

/**
 * Scarce people last: the fewest skills that qualify (a generalist taken by easy work is missed by hard work: 21 % of the mean wait against the most skills first,
 * simulated with 60 specialists and 30 generalists at 78 Erlangs), then the best levels in what is required.
 */
export const DEFAULT_RULES: MatcherRules = { agentOrder: ['fewest_skills', 'level', 'load', 'longest_idle'], contactOrder: 'oldest' };

/**
 * How much longer a ticket counts as waiting for its priority. Age and boost add up to one key that never changes while the ticket waits, so nothing starves:
 * an urgent ticket overtakes only those normal ones that came less than two hours before it.
 */
export const PRIORITY_BOOST_MS: Readonly<Record<TicketPriority, number>> = { urgent: 7_200_000, high: 1_800_000, normal: 0, low: -1_800_000 };

const PRIORITIES: readonly TicketPriority[] = ['urgent', 'high', 'normal', 'low'];

/** An idle agent who is away for less than this goes on being idle when they are back: toggling gains nothing, and a lost connection costs nothing. */
export const FLAP_MS = 60_000;

/** What agents of the same skills have in common, as far as the order in which they are asked depends on it. */
export interface SkillSet {
  readonly levels: SkillLevels;
  /** The agent's own order, primary first. */
  readonly order: ReadonlyMap<string, number>;
}

/** The keys that change with the agents' work. */
export type DynamicKey = 'load' | 'longest_idle';
export const isDynamic = (key: AgentKey): key is DynamicKey => key === 'load' || key === 'longest_idle';

/** The keys of a rank that come before the rules' own. */
export const FIRST_KEYS = 2;

/** Which of the keys of an agent's rank, the tier and the preferred skills before them, depend on skills alone, so that whole profiles can be put in order by them. */
export function leadingKeys({ agentOrder }: MatcherRules): number {
  const dynamic = agentOrder.findIndex(isDynamic);
  return FIRST_KEYS + (dynamic < 0 ? agentOrder.length : dynamic);
}

/** Whether two agents who list the same skills in another order differ. */
export function asksForOrder({ agentOrder, contactOrder }: MatcherRules): boolean {
  return contactOrder === 'skill_order' || agentOrder.includes('skill_order');
}

/**
 * How well skills fit what is asked for, the lesser first, number by number: the lowest tier that qualifies, the fewest preferred skills missing, and then the rules'
 * keys. Those that depend on more than skills are left at 0.
 */
export function skillRank({ levels, order }: SkillSet, required: readonly SkillRequirement[], preferred: readonly string[], rules: MatcherRules): number[] {
  const value = (key: AgentKey): number => {
    switch (key) {
      case 'fewest_skills':
        return levels.size;
      case 'most_skills':
        return -levels.size;
      case 'skill_order':
        return skillPosition(order, required);
      case 'level':
        return required.reduce((sum, { skill }) => (skill === TIER_SKILL ? sum : sum - levels.get(skill)!), 0);
      case 'load':
      case 'longest_idle':
        return 0;
    }
  };
  return [levels.get(TIER_SKILL) ?? 0, preferred.filter((skill) => !levels.has(skill)).length, ...rules.agentOrder.map(value)];
}

/** Where the first skill that is required stands in an agent's list. */
export function skillPosition(order: ReadonlyMap<string, number>, required: readonly SkillRequirement[]): number {
  const first = required.find(({ skill }) => order.has(skill) && skill !== TIER_SKILL);
  return first ? order.get(first.skill)! : 0;
}

export const skillOrder = ({ skills }: Pick<AgentProfile, 'skills'>): ReadonlyMap<string, number> =>
  new Map(skills.map(({ skill }, position) => [skill, position]));

/** The lines that tickets of one need wait in, so that the first of each line is the only one to look at: one, or with `strict` one a priority. */
export const linesOf = ({ contactOrder }: MatcherRules): number => (contactOrder === 'strict' ? PRIORITIES.length : 1);

export const lineOf = ({ contactOrder }: MatcherRules, priority: TicketPriority): number => (contactOrder === 'strict' ? PRIORITIES.indexOf(priority) : 0);

/** What puts a line before another for an agent, whatever the age of what waits in it. */
export function lineRank({ contactOrder }: MatcherRules, line: number, order: ReadonlyMap<string, number>, required: readonly SkillRequirement[]): number {
  switch (contactOrder) {
    case 'oldest':
      return 0;
    case 'strict':
      return line;
    case 'skill_order':
      return skillPosition(order, required);
  }
}

/** What a priority adds to a ticket's age; with `strict` it has a line of its own instead. */
export const priorityBoostMs = ({ contactOrder }: MatcherRules, priority: TicketPriority): number =>
  contactOrder === 'strict' ? 0 : PRIORITY_BOOST_MS[priority];
