import type { AgentPlaced, OfferAnswered, TicketQueued, TicketWithdrawn } from '@tierline/events';
import { Matcher, type Decision } from '@tierline/routing/matcher';
import type { SimulationSpec } from './spec.ts';

/**
 * The product's own matcher, asked in simulated time: contacts are numbers, agents too, and every offer is accepted at once.
 * Which agent, and which contact, is the matcher's to say; nothing here decides.
 */
export class Pool {
  private readonly matcher = new Matcher('simulated');
  private readonly agentNumbers = new Map<string, number>();
  private events = 0;

  constructor(
    private readonly spec: SimulationSpec,
    private readonly onAssigned: (contact: number, agent: number) => void,
  ) {
    for (const { count, skills, capacity } of spec.agents) {
      for (let n = 0; n < count; n++) {
        const agentId = String(this.agentNumbers.size);
        this.agentNumbers.set(agentId, this.agentNumbers.size);
        const profile = { agentId, name: agentId, team: 'simulated', pool: 'simulated', skills, capacity, active: true };
        this.apply('agent.placed', { pool: 'simulated', profile, presence: 'available', occurredAt: '' }, 0);
      }
    }
  }

  enqueue(contact: number, type: number, nowMs: number): void {
    const { skills, priority, weight } = this.spec.types[type]!;
    this.apply(
      'ticket.queued',
      {
        ticketId: String(contact),
        pool: 'simulated',
        queue: 'simulated',
        channel: 'phone',
        priority,
        tier: 1,
        required: skills,
        weight,
        offerTimeoutMs: 1,
        reason: 'opened',
        enqueuedAt: new Date(nowMs).toISOString(),
      },
      nowMs,
    );
  }

  /** The contact is served, has given up, or found no place. */
  withdraw(contact: number, nowMs: number): void {
    this.apply('ticket.withdrawn', { ticketId: String(contact), pool: 'simulated', reason: 'solved', occurredAt: '' }, nowMs);
  }

  private apply(type: string, data: object, nowMs: number): void {
    const event = { id: String(this.events++), type, data } as unknown as AgentPlaced | TicketQueued | TicketWithdrawn | OfferAnswered;
    for (const decision of this.matcher.apply(event, nowMs)) this.follow(decision, nowMs);
  }

  private follow(decision: Decision, nowMs: number): void {
    if (decision.type === 'assigned') this.onAssigned(Number(decision.ticket.ticketId), this.agentNumbers.get(decision.offer.agentId)!);
    if (decision.type !== 'offered') return;
    const { offerId, agentId } = decision.offer;
    this.apply('offer.answered', { offerId, agentId, ticketId: decision.ticket.ticketId, pool: 'simulated', answer: 'accepted', occurredAt: '' }, nowMs);
  }
}
