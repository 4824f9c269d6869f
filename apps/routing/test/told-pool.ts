import {
  derivedId,
  TIER_SKILL,
  type AgentProfile,
  type MatcherRules,
  type Presence,
  type Ring,
  type SkillRequirement,
  type TicketPriority,
} from '@tierline/events';
import { applyEvent, type PoolEvent } from '../src/apply-event.ts';
import { Matcher } from '../src/matcher.ts';
import type { Decision, Offer, PoolAgent, PoolTicket } from '../src/pool-state.ts';
import { requiredAt, requiredSkills } from '../src/required-skills.ts';
import { skillLevels, type SkillLevels } from '../src/skill-match.ts';
import { touchedBy } from '../src/touched-by.ts';

export const START_MS = Date.parse('2025-06-02T08:00:00.000Z');
export const OFFER_TIMEOUT_MS = 20_000;
const iso = (ms: number): string => new Date(ms).toISOString();

export interface TicketGiven {
  skills?: Record<string, number>;
  tier?: number;
  priority?: TicketPriority;
  weight?: number;
  team?: string;
  preferred?: string[];
  rings?: Ring[];
  fallback?: SkillRequirement[];
  boostMs?: number;
  interrupts?: boolean;
}

export interface AgentGiven {
  /** In the agent's own order. */
  skills?: Record<string, number>;
  tier?: number;
  capacity?: number;
  presence?: Presence;
  team?: string;
  pool?: string;
  active?: boolean;
}

/** An agent with what they hold. */
export interface HeldAgent extends PoolAgent {
  id: string;
  levels: SkillLevels;
  used: number;
  /** The part of `used` that interrupts other work. */
  live: number;
  offers: number;
}

/** A pool told in short words. Tickets and agents have plain names; time passes only when it is told to. */
export class ToldPool {
  readonly history: { event: PoolEvent; nowMs: number }[] = [];
  readonly names = new Set<string>();
  readonly agentNames = new Set<string>();
  nowMs = START_MS;
  /** The last decisions, as they were made. */
  decisions: Decision[] = [];
  private matcher: Matcher;
  private readonly queuedAtMs = new Map<string, number>();
  private readonly keptTickets = new Map<string, PoolTicket | undefined>();
  private readonly keptAgents = new Map<string, PoolAgent | undefined>();

  constructor(readonly rules?: MatcherRules) {
    this.matcher = new Matcher({ rules });
  }

  queue(name: string, given: TicketGiven = {}, reason: 'opened' | 'escalated' | 'reprioritized' = 'opened'): string[] {
    this.names.add(name);
    if (reason === 'opened') this.queuedAtMs.set(name, this.nowMs);
    const { skills = {}, tier = 1, priority = 'normal', weight = 1, team, ...rest } = given;
    const required = requiredAt(requiredSkills({ skills }, tier), tier, team);
    const enqueuedAt = iso(this.queuedAtMs.get(name) ?? this.nowMs);
    return this.tell('ticket.queued', {
      ...{ ticketId: name, pool: 'main', queue: 'general', channel: 'email', priority, tier, required, weight, offerTimeoutMs: OFFER_TIMEOUT_MS },
      ...{ reason, enqueuedAt },
      ...rest,
    });
  }

  withdraw(name: string): string[] {
    return this.tell('ticket.withdrawn', { ticketId: name, pool: 'main', reason: 'solved', occurredAt: iso(this.nowMs) });
  }

  place(
    agentId: string,
    { skills = {}, tier = 1, capacity = 1, presence = 'available', team = 'care', pool = 'main', active = true }: AgentGiven = {},
  ): string[] {
    this.agentNames.add(agentId);
    const levels = Object.entries({ ...skills, [TIER_SKILL]: tier }).map(([skill, level]) => ({ skill, level }));
    const profile: AgentProfile = { agentId, name: agentId, team, pool, skills: levels, capacity, active };
    return this.tell('agent.placed', { pool: 'main', profile, presence, occurredAt: iso(this.nowMs) });
  }

  accept(name: string, offer = this.offerOf(name)): string[] {
    return this.answer(name, offer, 'accepted');
  }

  decline(name: string): string[] {
    return this.answer(name, this.offerOf(name), 'declined');
  }

  expire(name: string, offer = this.offerOf(name)): string[] {
    return this.tell('offer.expired', { offerId: offer.offerId, ticketId: name, pool: 'main', agentId: offer.agentId });
  }

  endRing(name: string, ticket: Partial<PoolTicket> = this.ticket(name) ?? {}): string[] {
    const { ring = 0, ringOpenedAtMs = START_MS } = ticket;
    return this.tell('ring.ended', { ticketId: name, pool: 'main', ring, openedAt: iso(ringOpenedAtMs) });
  }

  offerOf(name: string): Offer {
    return this.ticket(name)!.offer!;
  }

  ticket(name: string): PoolTicket | undefined {
    return this.matcher.ticket(name);
  }

  /** Goes on with what a process would have kept. */
  restart(): void {
    const isKept = <T>(row: T | undefined): row is T => row !== undefined;
    const tickets = [...this.keptTickets.values()].filter(isKept);
    this.matcher = new Matcher(structuredClone({ rules: this.rules, tickets, agents: [...this.keptAgents.values()].filter(isKept) }));
  }

  tickets(): PoolTicket[] {
    return [...this.names].flatMap((name) => this.matcher.ticket(name) ?? []);
  }

  waiting(): PoolTicket[] {
    return this.tickets().filter(({ offer, assigneeId }) => !offer && assigneeId === undefined);
  }

  agents(): HeldAgent[] {
    const tickets = this.tickets();
    return [...this.agentNames].flatMap((id) => {
      const agent = this.matcher.agent(id);
      if (!agent) return [];
      const held = tickets.filter(({ assigneeId }) => assigneeId === id);
      const sum = (of: PoolTicket[]): number => of.reduce((total, { weight }) => total + weight, 0);
      const offers = tickets.filter(({ offer }) => offer?.agentId === id).length;
      return [{ ...agent, id, levels: skillLevels(agent.profile), used: sum(held), live: sum(held.filter(({ interrupts }) => interrupts)), offers }];
    });
  }

  apply(event: PoolEvent, nowMs: number): string[] {
    this.history.push({ event, nowMs });
    this.decisions = structuredClone(applyEvent(this.matcher, 'main', event, nowMs));
    const touched = touchedBy(event, this.decisions);
    for (const id of touched.tickets) this.keptTickets.set(id, structuredClone(this.matcher.ticket(id)));
    for (const id of touched.agents) this.keptAgents.set(id, structuredClone(this.matcher.agent(id)));
    return this.decisions.flatMap(inWords);
  }

  private tell(type: PoolEvent['type'], data: unknown): string[] {
    return this.apply({ id: derivedId('test', type, this.history.length), type, data } as PoolEvent, this.nowMs);
  }

  private answer(name: string, { offerId, agentId }: Offer, answer: 'accepted' | 'declined'): string[] {
    return this.tell('offer.answered', { offerId, ticketId: name, pool: 'main', agentId, answer, occurredAt: iso(this.nowMs) });
  }
}

function inWords(decision: Decision): string[] {
  const { ticketId } = decision;
  switch (decision.type) {
    case 'offered':
      return [`${ticketId} offered to ${decision.offer.agentId}`];
    case 'assigned':
      return [`${ticketId} assigned to ${decision.offer.agentId}`];
    case 'requeued':
      return [`${ticketId} requeued from ${decision.agentId}: ${decision.reason}`];
    case 'unassigned':
      return [`${ticketId} unassigned from ${decision.agentId}: ${decision.reason}`];
    case 'rescinded':
      return [`${ticketId} rescinded from ${decision.offer.agentId}: ${decision.reason}`];
    case 'ring_opened':
      return [`${ticketId} in ring ${decision.ring}: ${decision.reason}`];
    case 'ring_began':
      return [];
  }
}
