import { TIER_SKILL, type AgentProfile } from '@tierline/events';
import type { PeopleConfiguration } from './configuration.ts';
import { managerOf } from './manager-of.ts';

/** Each agent of the configuration as routing and escalation need to know them: skills in order, the tier among them. */
export function agentProfiles({ teams, agents }: PeopleConfiguration): AgentProfile[] {
  return agents.map((agent) => {
    const managerId = managerOf(agent, teams);
    return {
      agentId: agent.id,
      name: agent.name,
      ...(agent.email !== undefined && { email: agent.email }),
      team: agent.team,
      pool: teams.find((team) => team.name === agent.team)!.pool,
      ...(managerId !== undefined && { managerId }),
      skills: Object.entries({ ...agent.skills, [TIER_SKILL]: agent.tier })
        .map(([skill, level]) => ({ skill, level }))
        .sort((a, b) => (a.skill < b.skill ? -1 : 1)),
      capacity: agent.capacity,
      active: true,
    };
  });
}
