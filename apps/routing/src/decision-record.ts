import type { DecisionRecord, MatcherRules } from '@tierline/events';
import type { Need } from './eligibility.ts';
import { candidateKey } from './pick-agent.ts';
import { fits, type Agent } from './ready-agents.ts';

/** As many agents as a record names, and looks at, of those who came before the chosen one. */
const PASSED_OVER = 10;
const PASSED_OVER_LOOKED_AT = 32;

/** What is being offered, as far as a record tells. */
interface Offered {
  readonly need: Need;
  readonly ring: number;
  readonly declinedBy: readonly string[];
}

/** Says why a ticket goes to the chosen agent. */
export function decisionRecord({ need, ring, declinedBy }: Offered, chosen: Agent, rules: MatcherRules): DecisionRecord {
  const passedOver: DecisionRecord['passedOver'] = [];
  let lookedAt = 0;
  let candidates = 0;
  let isBefore = true;
  for (const { profile } of need.servers) {
    candidates += profile.members.size;
    if (!isBefore) continue;
    for (const agent of profile.members) {
      if (passedOver.length === PASSED_OVER || lookedAt++ >= PASSED_OVER_LOOKED_AT) break;
      const reason = agent === chosen ? undefined : whyNot(agent, need, declinedBy);
      if (reason) passedOver.push({ agentId: agent.profile.agentId, reason });
    }
    isBefore = profile !== chosen.skills;
  }
  const server = need.servers.find(({ profile }) => profile === chosen.skills)!;
  return { ring, candidates, passedOver, winningKey: [...candidateKey({ agent: chosen, server }, rules), chosen.profile.agentId] };
}

/** Why an agent who qualifies cannot be offered the ticket now; undefined when they can. */
function whyNot(agent: Agent, need: Need, declinedBy: readonly string[]): DecisionRecord['passedOver'][number]['reason'] | undefined {
  if (agent.presence !== 'available') return agent.presence;
  if (!agent.responding) return 'missed';
  if (agent.offered >= 0) return 'offered';
  if (declinedBy.includes(agent.profile.agentId)) return 'declined';
  return fits(need, agent) ? undefined : 'busy';
}
