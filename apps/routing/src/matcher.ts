import {
  derivedId,
  type AgentPlaced,
  type AgentProfile,
  type DecisionRecord,
  type OfferAnswered,
  type OfferExpired,
  type Presence,
  type SkillRequirement,
  type TicketPriority,
  type TicketQueued,
  type TicketRequeued,
  type TicketUnassigned,
  type TicketWithdrawn,
} from '@tierline/events';
import { Heap, type Heaped } from './heap.ts';
import { compareRanks, qualifies, skillLevels, skillRank, type SkillLevels, type SkillRank } from './skill-match.ts';

/**
 * How much longer a ticket counts as waiting for its priority. Age and boost add up to one key that never changes while the ticket waits, so nothing starves:
 * an urgent ticket overtakes only those normal ones that came less than two hours before it.
 */
export const PRIORITY_BOOST_MS: Readonly<Record<TicketPriority, number>> = { urgent: 7_200_000, high: 1_800_000, normal: 0, low: -1_800_000 };

/** As many agents as a record names, and looks at, of those who came before the chosen one. */
const PASSED_OVER = 10;
const PASSED_OVER_LOOKED_AT = 32;

/** Weights are decimal fractions; their sums are not exact. */
const WEIGHT_ERROR = 1e-9;

/** What happens to a pool. */
export type PoolEvent = TicketQueued | TicketWithdrawn | AgentPlaced | OfferAnswered | OfferExpired;

export interface Offer {
  readonly offerId: string;
  readonly agentId: string;
  readonly offeredAtMs: number;
  readonly expiresAtMs: number;
}

/** A ticket in the hands of the pool. */
export interface PoolTicket {
  readonly ticketId: string;
  readonly queue: string;
  readonly tier: number;
  readonly required: readonly SkillRequirement[];
  readonly weight: number;
  readonly offerTimeoutMs: number;
  readonly enqueuedAtMs: number;
  readonly priority: TicketPriority;
  /** Waiting without either; offered with `offer`; assigned with `assigneeId`. */
  readonly offer?: Offer | undefined;
  readonly assigneeId?: string | undefined;
  /** Who has declined it, until everybody has. */
  readonly declinedBy: readonly string[];
}

/** An agent as the pool knows them. */
export interface PoolAgent {
  readonly profile: AgentProfile;
  readonly presence: Presence;
  /** False after a missed offer, until the agent comes back from away or offline. */
  readonly responding: boolean;
  /** Since when the agent has been given nothing. */
  readonly idleSinceMs: number;
}

/** What the matcher has decided, in order. */
export type Decision =
  | { readonly type: 'offered'; readonly ticket: PoolTicket; readonly offer: Offer; readonly waitedMs: number; readonly record: DecisionRecord }
  | { readonly type: 'assigned'; readonly ticket: PoolTicket; readonly offer: Offer; readonly team: string; readonly waitedMs: number }
  | {
      readonly type: 'requeued';
      readonly ticket: PoolTicket;
      readonly agentId: string;
      /** The offer that came to nothing; none when the agent had accepted. */
      readonly offer: Offer | undefined;
      readonly reason: TicketRequeued['data']['reason'];
    }
  | { readonly type: 'unassigned'; readonly ticket: PoolTicket; readonly agentId: string; readonly reason: TicketUnassigned['data']['reason'] }
  /** An offer was taken back before it was answered, because the ticket needs nobody of this pool, or somebody else. */
  | { readonly type: 'rescinded'; readonly ticket: PoolTicket; readonly offer: Offer; readonly reason: TicketWithdrawn['data']['reason'] };

interface Ticket extends PoolTicket, Heaped {
  priority: TicketPriority;
  offer: Offer | undefined;
  assigneeId: string | undefined;
  declinedBy: string[];
  readonly need: Need;
  /** When it would have come, had it no boost: what waiting tickets are ordered by. */
  virtualMs: number;
}

interface Agent extends PoolAgent, Heaped {
  profile: AgentProfile;
  presence: Presence;
  responding: boolean;
  idleSinceMs: number;
  kind: Kind;
  offered: Ticket | undefined;
  readonly assigned: Set<Ticket>;
  /** Weight of what is assigned; derived, so that no release can be forgotten. */
  used: number;
}

/** The tickets that ask the same of an agent. */
interface Need {
  readonly required: readonly SkillRequirement[];
  readonly weight: number;
  readonly waiting: Heap<Ticket>;
  /** Who qualifies, best first. */
  readonly servers: { kind: Kind; rank: SkillRank }[];
}

/** The agents with the same skills. */
interface Kind {
  readonly key: string;
  readonly levels: SkillLevels;
  readonly agents: Set<Agent>;
  /** Those who could take something now: lowest load first, then longest idle. */
  readonly ready: Heap<Agent>;
  readonly needs: Need[];
}

const comesBefore = (a: Ticket, b: Ticket): boolean => a.virtualMs < b.virtualMs || (a.virtualMs === b.virtualMs && a.ticketId < b.ticketId);

const inOrder = (tickets: Iterable<Ticket>): Ticket[] => [...tickets].sort((a, b) => (comesBefore(a, b) ? -1 : 1));

const loadOf = (agent: Agent): number => agent.used / agent.profile.capacity;

const isPreferred = (a: Agent, b: Agent): boolean =>
  (loadOf(a) - loadOf(b) || a.idleSinceMs - b.idleSinceMs || (a.profile.agentId < b.profile.agentId ? -1 : 1)) < 0;

const fits = (ticket: Pick<Ticket, 'weight'>, agent: Agent): boolean => agent.used + ticket.weight <= agent.profile.capacity + WEIGHT_ERROR;

/** Whether the agent would answer an offer, now or when they have finished something. */
const isReachable = (agent: Agent): boolean => agent.presence === 'available' && agent.responding;

/**
 * Decides who is offered what in one pool. Holds the pool's tickets and agents; events and the time go in, decisions come out, and the same
 * events give the same decisions.
 *
 * After every event no agent is free while a ticket waits that they could take and have not declined. Tickets with equal needs share a heap
 * and agents with equal skills share another, so a queued ticket looks at kinds of agents, and a freed agent at the first ticket of each need,
 * never at all of them.
 */
export class Matcher {
  private readonly tickets = new Map<string, Ticket>();
  private readonly agents = new Map<string, Agent>();
  private readonly needs = new Map<string, Need>();
  private readonly kinds = new Map<string, Kind>();
  /** Waiting tickets that somebody has declined: they may have to be looked at when another agent leaves. */
  private readonly declined = new Set<Ticket>();
  /** What has changed since tickets and agents were last matched. */
  private readonly freed = new Set<Agent>();
  private readonly unplaced = new Set<Ticket>();

  private decisions: Decision[] = [];
  private nowMs = 0;
  private causeId = '';
  private offersOfCause = 0;

  /** Begins with nothing, or where a matcher had come whose tickets and agents were kept. */
  constructor(
    readonly pool: string,
    kept: { tickets: Iterable<PoolTicket>; agents: Iterable<PoolAgent> } = { tickets: [], agents: [] },
  ) {
    for (const agent of kept.agents) this.addAgent(agent);
    for (const ticket of kept.tickets) this.addTicket(ticket);
    for (const agent of this.agents.values()) this.settle(agent);
  }

  ticket(ticketId: string): PoolTicket | undefined {
    return this.tickets.get(ticketId);
  }

  agent(agentId: string): PoolAgent | undefined {
    return this.agents.get(agentId);
  }

  /** What follows from an event at `nowMs`; good until the next. An answer or a timer that comes too late means nothing. */
  apply(event: PoolEvent, nowMs: number): Decision[] {
    this.decisions = [];
    this.nowMs = nowMs;
    this.causeId = event.id;
    this.offersOfCause = 0;
    // Nothing is left over, except when other rules than today's matched what was kept.
    this.match();
    switch (event.type) {
      case 'ticket.queued':
        this.enqueue(event.data);
        break;
      case 'ticket.withdrawn':
        this.withdraw(event.data);
        break;
      case 'agent.placed':
        this.place(event.data);
        break;
      case 'offer.answered':
        this.answer(event.data);
        break;
      case 'offer.expired':
        this.expire(event.data);
        break;
    }
    this.match();
    return this.decisions;
  }

  private enqueue(data: TicketQueued['data']): void {
    const known = this.tickets.get(data.ticketId);
    if (data.reason === 'reprioritized') {
      if (known) this.reprioritize(known, data.priority);
      return;
    }
    if (known) this.takeBack(known, 'escalated');
    this.unplaced.add(
      this.addTicket({
        ticketId: data.ticketId,
        queue: data.queue,
        tier: data.tier,
        required: data.required,
        weight: data.weight,
        offerTimeoutMs: data.offerTimeoutMs,
        enqueuedAtMs: Date.parse(data.enqueuedAt),
        priority: data.priority,
        declinedBy: [],
      }),
    );
  }

  private reprioritize(ticket: Ticket, priority: TicketPriority): void {
    const isWaiting = ticket.heapIndex >= 0;
    ticket.need.waiting.remove(ticket);
    ticket.priority = priority;
    ticket.virtualMs = ticket.enqueuedAtMs - PRIORITY_BOOST_MS[priority];
    if (isWaiting) ticket.need.waiting.push(ticket);
  }

  private withdraw({ ticketId, reason }: TicketWithdrawn['data']): void {
    const ticket = this.tickets.get(ticketId);
    if (ticket) this.takeBack(ticket, reason);
  }

  private place({ profile, presence }: AgentPlaced['data']): void {
    const isHere = profile.active && profile.pool === this.pool;
    if (!isHere && !this.agents.has(profile.agentId)) return;
    const agent = this.agents.get(profile.agentId) ?? this.addAgent({ profile, presence: 'offline', responding: true, idleSinceMs: this.nowMs });
    const before = agent.presence;
    this.setProfile(agent, profile);
    agent.presence = isHere ? presence : 'offline';
    if (before !== 'available' && agent.presence === 'available') {
      agent.responding = true;
      agent.idleSinceMs = this.nowMs;
    }
    if (agent.presence !== 'available' && agent.offered) this.endOffer(agent.offered, 'agent_offline');
    if (agent.presence === 'offline') for (const ticket of inOrder(agent.assigned)) this.takeFromOffline(agent, ticket);
    this.settle(agent);
    this.lookAtDeclined();
    if (!isHere) {
      this.agents.delete(profile.agentId);
      this.leaveKind(agent);
    }
  }

  private answer({ offerId, ticketId, answer }: OfferAnswered['data']): void {
    const ticket = this.tickets.get(ticketId);
    const offer = ticket?.offer;
    if (!ticket || offer?.offerId !== offerId) return;
    const agent = this.agents.get(offer.agentId)!;
    if (answer === 'declined') {
      ticket.declinedBy.push(offer.agentId);
      this.endOffer(ticket, 'declined');
      this.settle(agent);
      return;
    }
    ticket.offer = undefined;
    ticket.assigneeId = offer.agentId;
    ticket.declinedBy = [];
    agent.offered = undefined;
    agent.assigned.add(ticket);
    agent.idleSinceMs = this.nowMs;
    this.settle(agent);
    this.decisions.push({ type: 'assigned', ticket, offer, team: agent.profile.team, waitedMs: this.waitedMs(ticket) });
  }

  private expire({ offerId, ticketId }: OfferExpired['data']): void {
    const ticket = this.tickets.get(ticketId);
    const offer = ticket?.offer;
    if (!ticket || offer?.offerId !== offerId) return;
    const agent = this.agents.get(offer.agentId)!;
    agent.responding = false;
    this.endOffer(ticket, 'expired');
    this.settle(agent);
    this.lookAtDeclined();
  }

  /** The ticket waits again: its offer came to nothing. */
  private endOffer(ticket: Ticket, reason: TicketRequeued['data']['reason']): void {
    const offer = ticket.offer!;
    this.agents.get(offer.agentId)!.offered = undefined;
    ticket.offer = undefined;
    this.wait(ticket);
    this.decisions.push({ type: 'requeued', ticket, agentId: offer.agentId, offer, reason });
  }

  private takeFromOffline(agent: Agent, ticket: Ticket): void {
    const { agentId } = agent.profile;
    agent.assigned.delete(ticket);
    ticket.assigneeId = undefined;
    this.wait(ticket);
    this.decisions.push({ type: 'unassigned', ticket, agentId, reason: 'agent_offline' });
    this.decisions.push({ type: 'requeued', ticket, agentId, offer: undefined, reason: 'agent_offline' });
  }

  /** The pool has nothing more to do with the ticket as it was. */
  private takeBack(ticket: Ticket, reason: TicketWithdrawn['data']['reason']): void {
    this.tickets.delete(ticket.ticketId);
    ticket.need.waiting.remove(ticket);
    this.declined.delete(ticket);
    const holderId = ticket.offer?.agentId ?? ticket.assigneeId;
    if (holderId === undefined) return;
    const agent = this.agents.get(holderId)!;
    if (ticket.offer) {
      agent.offered = undefined;
      this.decisions.push({ type: 'rescinded', ticket, offer: ticket.offer, reason });
    } else {
      agent.assigned.delete(ticket);
      this.decisions.push({ type: 'unassigned', ticket, agentId: holderId, reason });
    }
    this.settle(agent);
  }

  /** Brings tickets and agents together after what has changed. The agents first: they take the oldest of all, and not just what has come in. */
  private match(): void {
    for (const agent of this.freed) this.serve(agent);
    this.freed.clear();
    for (const ticket of inOrder(this.unplaced)) this.offerToBest(ticket);
    this.unplaced.clear();
  }

  /** Offers the agent the first ticket in line for them. When there are only such as they have declined, perhaps everybody has. */
  private serve(agent: Agent): void {
    const ticket = this.firstFor(agent);
    if (ticket) this.offer(ticket, agent);
    else this.lookAtDeclined();
  }

  private firstFor(agent: Agent): Ticket | undefined {
    const { agentId } = agent.profile;
    let first: Ticket | undefined;
    for (const { weight, waiting } of agent.kind.needs) {
      if (waiting.size === 0 || !fits({ weight }, agent)) continue;
      const candidate = waiting.first(({ declinedBy }) => !declinedBy.includes(agentId));
      if (candidate && (!first || comesBefore(candidate, first))) first = candidate;
    }
    return first;
  }

  private offerToBest(ticket: Ticket): void {
    if (ticket.heapIndex < 0) return;
    const agent = this.bestFor(ticket, ticket.declinedBy);
    if (agent) return this.offer(ticket, agent);
    if (ticket.declinedBy.length === 0 || this.hasSomebodyLeft(ticket)) return;
    const again = this.bestFor(ticket, []);
    if (!again) return;
    ticket.declinedBy = [];
    this.offer(ticket, again);
  }

  private bestFor(ticket: Ticket, except: readonly string[]): Agent | undefined {
    let best: Agent | undefined;
    let bestRank: SkillRank | undefined;
    for (const { kind, rank } of ticket.need.servers) {
      if (bestRank && compareRanks(rank, bestRank) > 0) break;
      if (kind.ready.size === 0) continue;
      const candidate = kind.ready.first((agent) => fits(ticket, agent) && !except.includes(agent.profile.agentId));
      if (candidate && (!best || isPreferred(candidate, best))) {
        best = candidate;
        bestRank = rank;
      }
    }
    return best;
  }

  /** Whether an agent may still say yes to a ticket that others have declined. */
  private hasSomebodyLeft(ticket: Ticket): boolean {
    return ticket.need.servers.some(({ kind }) => {
      for (const agent of kind.agents) {
        if (isReachable(agent) && agent.profile.capacity + WEIGHT_ERROR >= ticket.weight && !ticket.declinedBy.includes(agent.profile.agentId)) return true;
      }
      return false;
    });
  }

  private offer(ticket: Ticket, agent: Agent): void {
    const record = this.record(ticket, agent);
    ticket.need.waiting.remove(ticket);
    this.declined.delete(ticket);
    const offer: Offer = {
      offerId: derivedId(this.causeId, 'offer', this.offersOfCause++),
      agentId: agent.profile.agentId,
      offeredAtMs: this.nowMs,
      expiresAtMs: this.nowMs + ticket.offerTimeoutMs,
    };
    ticket.offer = offer;
    agent.offered = ticket;
    this.settle(agent);
    this.decisions.push({ type: 'offered', ticket, offer, waitedMs: this.waitedMs(ticket), record });
  }

  private record(ticket: Ticket, chosen: Agent): DecisionRecord {
    const { servers } = ticket.need;
    const { rank } = servers.find(({ kind }) => kind === chosen.kind)!;
    const passedOver: DecisionRecord['passedOver'] = [];
    let lookedAt = 0;
    for (const server of servers) {
      if (compareRanks(server.rank, rank) > 0) break;
      for (const agent of server.kind.agents) {
        if (passedOver.length === PASSED_OVER || lookedAt++ >= PASSED_OVER_LOOKED_AT) break;
        const reason = whyNot(agent, ticket);
        if (reason) passedOver.push({ agentId: agent.profile.agentId, reason });
      }
    }
    return {
      ring: 0,
      candidates: servers.reduce((sum, { kind }) => sum + kind.agents.size, 0),
      passedOver,
      winningKey: [...rank, loadOf(chosen), chosen.idleSinceMs, chosen.profile.agentId],
    };
  }

  private waitedMs({ enqueuedAtMs }: Ticket): number {
    return Math.max(0, this.nowMs - enqueuedAtMs);
  }

  private wait(ticket: Ticket): void {
    ticket.need.waiting.push(ticket);
    if (ticket.declinedBy.length > 0) this.declined.add(ticket);
    this.unplaced.add(ticket);
  }

  /** An agent who might have taken them may be gone, or a new one here. */
  private lookAtDeclined(): void {
    for (const ticket of this.declined) this.unplaced.add(ticket);
  }

  /** Puts the agent where they belong after any change: among the ready, or not. */
  private settle(agent: Agent): void {
    agent.kind.ready.remove(agent);
    agent.used = 0;
    for (const { weight } of agent.assigned) agent.used += weight;
    if (!isReachable(agent) || agent.offered || agent.used >= agent.profile.capacity) return;
    agent.kind.ready.push(agent);
    this.freed.add(agent);
  }

  private addTicket(kept: PoolTicket): Ticket {
    const need = this.needOf(kept);
    const ticket: Ticket = {
      // Field by field: a spread would cost more than all the rest.
      ticketId: kept.ticketId,
      queue: kept.queue,
      tier: kept.tier,
      // One list for all who need the same.
      required: need.required,
      weight: kept.weight,
      offerTimeoutMs: kept.offerTimeoutMs,
      enqueuedAtMs: kept.enqueuedAtMs,
      priority: kept.priority,
      offer: kept.offer,
      assigneeId: kept.assigneeId,
      declinedBy: [...kept.declinedBy],
      need,
      virtualMs: kept.enqueuedAtMs - PRIORITY_BOOST_MS[kept.priority],
      heapIndex: -1,
    };
    this.tickets.set(ticket.ticketId, ticket);
    if (ticket.offer) this.agents.get(ticket.offer.agentId)!.offered = ticket;
    else if (ticket.assigneeId !== undefined) this.agents.get(ticket.assigneeId)!.assigned.add(ticket);
    else {
      ticket.need.waiting.push(ticket);
      if (ticket.declinedBy.length > 0) this.declined.add(ticket);
    }
    return ticket;
  }

  private addAgent(kept: PoolAgent): Agent {
    const agent: Agent = { ...kept, kind: this.kindOf(kept.profile), offered: undefined, assigned: new Set(), used: 0, heapIndex: -1 };
    agent.kind.agents.add(agent);
    this.agents.set(kept.profile.agentId, agent);
    return agent;
  }

  /** The agent's place among the ready is lost until they are settled: it may depend on the profile. */
  private setProfile(agent: Agent, profile: AgentProfile): void {
    agent.kind.ready.remove(agent);
    agent.profile = profile;
    const kind = this.kindOf(profile);
    if (kind === agent.kind) return;
    this.leaveKind(agent);
    agent.kind = kind;
    kind.agents.add(agent);
  }

  private leaveKind(agent: Agent): void {
    const left = agent.kind;
    left.agents.delete(agent);
    if (left.agents.size > 0) return;
    this.kinds.delete(left.key);
    for (const { servers } of left.needs) {
      servers.splice(
        servers.findIndex(({ kind }) => kind === left),
        1,
      );
    }
  }

  private needOf({ required, weight }: Pick<PoolTicket, 'required' | 'weight'>): Need {
    const key = `${weight} ${required.map(({ skill, minLevel }) => `${skill}=${minLevel}`).join()}`;
    const known = this.needs.get(key);
    if (known) return known;
    const need: Need = { required, weight, waiting: new Heap(comesBefore), servers: [] };
    this.needs.set(key, need);
    for (const kind of this.kinds.values()) serveNeed(kind, need);
    return need;
  }

  private kindOf(profile: AgentProfile): Kind {
    const levels = skillLevels(profile);
    const key = [...levels]
      .map(([skill, level]) => `${skill}=${level}`)
      .sort()
      .join();
    const known = this.kinds.get(key);
    if (known) return known;
    const kind: Kind = { key, levels, agents: new Set(), ready: new Heap(isPreferred), needs: [] };
    this.kinds.set(key, kind);
    for (const need of this.needs.values()) serveNeed(kind, need);
    return kind;
  }
}

/** Notes that the agents of a kind may serve a need, if they qualify. */
function serveNeed(kind: Kind, need: Need): void {
  if (!qualifies(kind.levels, need.required)) return;
  kind.needs.push(need);
  need.servers.push({ kind, rank: skillRank(kind.levels, need.required) });
  need.servers.sort((a, b) => compareRanks(a.rank, b.rank) || (a.kind.key < b.kind.key ? -1 : 1));
}

/** Why an agent who qualifies cannot be offered the ticket now; undefined when they can. */
function whyNot(agent: Agent, ticket: Ticket): DecisionRecord['passedOver'][number]['reason'] | undefined {
  if (agent.presence !== 'available') return agent.presence;
  if (!agent.responding) return 'missed';
  if (agent.offered) return 'offered';
  if (ticket.declinedBy.includes(agent.profile.agentId)) return 'declined';
  return fits(ticket, agent) ? undefined : 'busy';
}

/** What of a ticket is to be kept, so that a matcher can begin with it. */
export function keptTicket(ticket: PoolTicket): PoolTicket {
  const { ticketId, queue, tier, required, weight, offerTimeoutMs, enqueuedAtMs, priority, offer, assigneeId, declinedBy } = ticket;
  return { ticketId, queue, tier, required, weight, offerTimeoutMs, enqueuedAtMs, priority, offer, assigneeId, declinedBy };
}

/** What of an agent is to be kept. */
export function keptAgent({ profile, presence, responding, idleSinceMs }: PoolAgent): PoolAgent {
  return { profile, presence, responding, idleSinceMs };
}
