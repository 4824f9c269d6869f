import type { AgentProfile, SkillRequirement } from '@tierline/events';
import { teamSkill } from './required-skills.ts';

/** Level by skill, their team among them. */
export type SkillLevels = ReadonlyMap<string, number>;

export function skillLevels({ skills, team }: Pick<AgentProfile, 'skills' | 'team'>): SkillLevels {
  return new Map([...skills.map(({ skill, level }) => [skill, level] as const), [teamSkill(team), 1]]);
}

export function qualifies(levels: SkillLevels, required: readonly SkillRequirement[]): boolean {
  return required.every(({ skill, minLevel }) => (levels.get(skill) ?? 0) >= minLevel);
}
