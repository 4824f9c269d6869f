import { Matcher } from '@tierline/routing/matcher';
import type { SimulationSpec } from './spec.ts';
import { UNIT_MS } from './time-unit.ts';

const POOL = 'simulated';

/**
 * The product's own matcher, asked in simulated time: contacts and agents are numbers, and nobody is rung up, so that an agent is given a contact at once.
 * Which agent, and which contact, is the matcher's to say; nothing here decides.
 */
export class Pool {
  private readonly matcher: Matcher;
  private readonly terms: ReturnType<Matcher['terms']>[];
  private readonly agentNumbers = new Map<string, number>();
  /** The matcher's name of each contact. */
  private readonly ids: string[] = [];

  constructor(
    { types, agents, rules, timeUnit }: SimulationSpec,
    private readonly onAssigned: (contact: number, agent: number) => void,
  ) {
    const { maxAge, ...given } = rules;
    this.matcher = new Matcher({ rules: { ...new Matcher().rules, ...given, ...(maxAge !== undefined && { maxAgeMs: maxAge * UNIT_MS[timeUnit] }) } });
    this.matcher.nextOfferId = () => '';
    this.terms = types.map(({ priority, skills, weight }) =>
      this.matcher.terms({ queue: POOL, tier: 1, priority, required: skills, weight, offerTimeoutMs: 0 }),
    );
    for (const { count, skills, capacity } of agents) {
      for (let n = 0; n < count; n++) {
        const agentId = String(this.agentNumbers.size);
        this.agentNumbers.set(agentId, this.agentNumbers.size);
        this.matcher.place({ agentId, name: agentId, team: POOL, pool: POOL, skills, capacity, active: true }, 'available', true, 0);
      }
    }
  }

  enqueue(contact: number, type: number, nowMs: number): void {
    this.follow(this.matcher.enqueue((this.ids[contact] ??= String(contact)), this.terms[type]!, nowMs, nowMs));
  }

  /** The contact is served, has given up, or found no place. */
  withdraw(contact: number, nowMs: number): void {
    this.follow(this.matcher.withdraw(this.ids[contact]!, 'solved', nowMs));
  }

  private follow(decisions: ReturnType<Matcher['enqueue']>): void {
    for (const decision of decisions) {
      if (decision.type === 'assigned') this.onAssigned(Number(decision.ticketId), this.agentNumbers.get(decision.offer.agentId)!);
    }
  }
}
