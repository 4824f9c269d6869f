import type { AgentProfile, EscalationRaised, TicketPriority, TicketQueued } from '@tierline/events';
import { requiredAt, teamSkill } from './required-skills.ts';
import { qualifies, skillLevels } from './skill-match.ts';

const URGENCY: readonly TicketPriority[] = ['low', 'normal', 'high', 'urgent'];

/**
 * What an escalated ticket asks for, and of which pool; undefined when it stays with who has it: a manager is only told, or the ticket is where it is meant to be already.
 * What no active agent of any pool could give is asked for no longer: the queue's skills first, then the team. Nothing may wait for somebody who does not exist.
 */
export function escalatedWork(
  queued: TicketQueued['data'],
  { kind, toTier, team, priority }: EscalationRaised['data'],
  agents: readonly AgentProfile[],
): TicketQueued['data'] | undefined {
  const isThere = queued.tier === toTier && (team === undefined || queued.required.some(({ skill }) => skill === teamSkill(team)));
  if (kind === 'hierarchical' || isThere) return undefined;
  const wishes = [
    requiredAt(queued.required, toTier, team),
    ...(team === undefined ? [] : [requiredAt([], toTier, team), requiredAt(queued.required, toTier)]),
    requiredAt([], toTier),
  ];
  const ableTo = (wish: TicketQueued['data']['required']): AgentProfile[] => agents.filter((agent) => agent.active && qualifies(skillLevels(agent), wish));
  const required = wishes.find((wish) => ableTo(wish).length > 0) ?? wishes[0]!;
  const pools = ableTo(required).map(({ pool }) => pool);
  // It has waited: whoever qualifies may take it. The rings are over.
  const { rings: _, fallback, ...rest } = queued;
  return {
    ...rest,
    ...(fallback && { fallback: requiredAt(fallback, toTier) }),
    pool: pools.length === 0 || pools.includes(queued.pool) ? queued.pool : pools.sort()[0]!,
    tier: toTier,
    required,
    priority: URGENCY.indexOf(priority) > URGENCY.indexOf(queued.priority) ? priority : queued.priority,
    reason: 'escalated',
  };
}
