import { TIER_SKILL, type SkillRequirement } from '@tierline/events';

/** Every agent has, besides their own skills, that of their team: work can be meant for a team. */
export const teamSkill = (team: string): string => `team:${team}`;

/** What a ticket of a queue needs at a tier, and of a team where it is meant for one: in order of the skills' names, so that equal needs look equal. */
export function requiredSkills(queue: { skills: Readonly<Record<string, number>> }, tier: number, team?: string): SkillRequirement[] {
  return Object.entries({ ...queue.skills, [TIER_SKILL]: tier, ...(team !== undefined && { [teamSkill(team)]: 1 }) })
    .map(([skill, minLevel]) => ({ skill, minLevel }))
    .sort((a, b) => (a.skill < b.skill ? -1 : 1));
}
