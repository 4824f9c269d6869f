import type { MatcherRules } from '@tierline/events';
import type { Eligibility, Need, Server } from './eligibility.ts';
import { FIRST_KEYS, isDynamic } from './match-rules.ts';
import { valueOf, type Agent, type Agents } from './ready-agents.ts';

/** An agent as one of those who might serve a need. */
export interface Candidate {
  readonly agent: Agent;
  readonly server: Server;
}

/** What the choice of an agent looks at. */
export interface PoolAgents {
  readonly eligibility: Eligibility;
  readonly agents: Agents;
  readonly rules: MatcherRules;
}

/** Answers who of the ready agents is given a ticket of a need; looks at profiles, and at the first agent of each load in them. */
export function pickAgent(need: Need, { eligibility, agents, rules }: PoolAgents, isWanted: (agent: number) => boolean): Agent | undefined {
  if (eligibility.ready.size === 0 || !need.eligible.meets(eligibility.ready)) return undefined;
  let best: Candidate | undefined;
  for (const server of need.servers) {
    if (best && eligibility.compareLeading(server, best.server) > 0) break;
    const { ready } = server.profile;
    const agent = ready.count === 0 ? undefined : ready.best(need, agents, isWanted);
    if (agent && (!best || comesBefore({ agent, server }, best, rules))) best = { agent, server };
  }
  return best?.agent;
}

/** What candidates are compared by, number by number. */
export function candidateKey({ agent, server }: Candidate, { agentOrder }: MatcherRules): number[] {
  return server.rank.map((value, at) => {
    const key = agentOrder[at - FIRST_KEYS];
    return key && isDynamic(key) ? valueOf(key, agent) : value;
  });
}

function comesBefore(a: Candidate, b: Candidate, { agentOrder }: MatcherRules): boolean {
  for (let at = 0; at < a.server.rank.length; at++) {
    const key = agentOrder[at - FIRST_KEYS];
    const difference = key && isDynamic(key) ? valueOf(key, a.agent) - valueOf(key, b.agent) : a.server.rank[at]! - b.server.rank[at]!;
    if (difference !== 0) return difference < 0;
  }
  return a.agent.profile.agentId < b.agent.profile.agentId;
}
