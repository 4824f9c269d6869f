import { TIER_SKILL, type SkillRequirement } from '@tierline/events';

const TEAM = 'team:';

/** Every agent has, besides their own skills, that of their team: work can be meant for a team. */
export const teamSkill = (team: string): string => `${TEAM}${team}`;

/** What a ticket of a queue needs at a tier: in order of the skills' names, so that equal needs look equal. */
export function requiredSkills({ skills }: { skills: Readonly<Record<string, number>> }, tier: number): SkillRequirement[] {
  return requiredAt(
    Object.entries(skills).map(([skill, minLevel]) => ({ skill, minLevel })),
    tier,
  );
}

/** The same needs at another tier, and of a team where it is meant for one. */
export function requiredAt(required: readonly SkillRequirement[], tier: number, team?: string): SkillRequirement[] {
  return [
    ...required.filter(({ skill }) => skill !== TIER_SKILL && !skill.startsWith(TEAM)),
    { skill: TIER_SKILL, minLevel: tier },
    ...(team === undefined ? [] : [{ skill: teamSkill(team), minLevel: 1 }]),
  ].sort((a, b) => (a.skill < b.skill ? -1 : 1));
}
