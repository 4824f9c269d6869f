import type { Decision, PoolEvent } from './matcher.ts';

/** Whose state may have changed by an event and what was decided on it: all that has to be kept, and no more. */
export function touchedBy({ data }: PoolEvent, decisions: readonly Decision[]): { tickets: string[]; agents: string[] } {
  return {
    tickets: [...('ticketId' in data ? [data.ticketId] : []), ...decisions.map(({ ticket }) => ticket.ticketId)],
    agents: 'profile' in data ? [data.profile.agentId] : 'agentId' in data ? [data.agentId] : [],
  };
}
