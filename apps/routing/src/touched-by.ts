import type { PoolEvent } from './apply-event.ts';
import type { Decision } from './pool-state.ts';

/** Whose state may have changed by an event and what was decided on it: all that has to be kept, and no more. */
export function touchedBy({ data }: PoolEvent, decisions: readonly Decision[]): { tickets: string[]; agents: string[] } {
  const agents = 'profile' in data ? [data.profile.agentId] : 'agentId' in data ? [data.agentId] : [];
  // Since when somebody is idle changes with what they get and finish.
  for (const decision of decisions) {
    if (decision.type === 'assigned') agents.push(decision.offer.agentId);
    if (decision.type === 'unassigned') agents.push(decision.agentId);
  }
  return { tickets: [...('ticketId' in data ? [data.ticketId] : []), ...decisions.map(({ ticketId }) => ticketId)], agents };
}
