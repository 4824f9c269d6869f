import type { AgentProfile, MatcherRules, Presence, TicketPriority, TicketRequeued, TicketWithdrawn } from '@tierline/events';
import { decisionRecord } from './decision-record.ts';
import { Eligibility, type Need } from './eligibility.ts';
import { Lines } from './lines.ts';
import { DEFAULT_RULES, FLAP_MS, linesOf } from './match-rules.ts';
import { pickAgent, type PoolAgents } from './pick-agent.ts';
import { pickTicket, type WaitingTickets } from './pick-ticket.ts';
import type { Decision, Offer, PoolAgent, PoolTicket, TicketTerms } from './pool-state.ts';
import { Agents, inUnits, type Agent } from './ready-agents.ts';
import { Rings } from './rings.ts';
import { KnownTerms, type Terms } from './terms.ts';
import { Tickets } from './tickets.ts';

/** Where a matcher begins: with nothing, or where another had come whose tickets and agents were kept. */
export interface MatcherStart {
  readonly rules?: MatcherRules | undefined;
  readonly tickets?: Iterable<PoolTicket>;
  readonly agents?: Iterable<PoolAgent>;
}

/**
 * Decides who is offered what in one pool. Holds the pool's tickets and agents; what happens and the time go in, decisions come out, and the same history gives the
 * same decisions. Decisions are good until the next call; what comes too late means nothing.
 *
 * After every step no agent is free while a ticket waits that they could take and have not declined. Tickets that ask the same wait in one line, and agents of the same
 * skills and load stand together, so a queued ticket looks at profiles, and a freed agent at the first ticket of each line, never at all of them.
 */
export class Matcher {
  readonly rules: MatcherRules;
  /** Names the next offer; whoever drives the matcher decides how. */
  nextOfferId: () => string;
  private readonly eligibility: Eligibility;
  private readonly known: KnownTerms;
  private readonly lines: Lines;
  private readonly tickets = new Tickets();
  private readonly rings: Rings;
  private readonly agents = new Agents();
  /** What the choice of an agent, and that of a ticket, look at. */
  private readonly pool: PoolAgents;
  private readonly waiting: WaitingTickets;
  /** Until there is something that interrupts, who has no room is not looked at. */
  private hasInterrupting = false;

  private decisions = NOTHING;
  private nowMs = 0;
  /** What has changed since tickets and agents were last matched. */
  private readonly freed: Agent[] = [];
  private readonly unplaced: number[] = [];
  private declinedMayReturn = false;

  constructor({ rules = DEFAULT_RULES, tickets = [], agents = [] }: MatcherStart = {}) {
    let offers = 0;
    this.nextOfferId = () => String(++offers);
    this.rules = rules;
    this.eligibility = new Eligibility(rules);
    this.known = new KnownTerms(this.eligibility, rules);
    this.lines = new Lines(this.tickets, linesOf(rules));
    this.rings = new Rings(this.tickets, this.lines);
    this.pool = { eligibility: this.eligibility, agents: this.agents, rules };
    const lines = linesOf(rules);
    this.waiting = {
      lines: this.lines,
      tickets: this.tickets,
      eligibility: this.eligibility,
      needOfLine: (line) => this.eligibility.needs[Math.floor(line / lines)]!,
    };
    for (const agent of agents) this.addAgent(agent);
    for (const ticket of tickets) this.addKept(ticket);
    this.eligibility.turned.length = 0;
    for (const agent of this.agents.all) this.settle(agent);
  }

  /** What of a ticket is to be kept. */
  ticket(ticketId: string): PoolTicket | undefined {
    const ticket = this.tickets.find(ticketId);
    return ticket < 0 ? undefined : this.kept(ticket);
  }

  /** What of an agent is to be kept. */
  agent(agentId: string): PoolAgent | undefined {
    const agent = this.agents.get(agentId);
    if (!agent) return undefined;
    const { profile, presence, responding, idleSinceMs, awaySinceMs } = agent;
    return { profile, presence, responding, idleSinceMs, ...(awaySinceMs !== undefined && { awaySinceMs }) };
  }

  /** Everything that is to be kept: a matcher that begins with it goes on as this one would. */
  *keptTickets(): Generator<PoolTicket> {
    for (const ticket of this.tickets) yield this.kept(ticket);
  }

  *keptAgents(): Generator<PoolAgent> {
    for (const agent of this.agents) yield this.agent(this.agents.ids[agent]!)!;
  }

  /** The one object for equal terms: whoever queues many tickets asks once. */
  terms(terms: TicketTerms): Terms {
    return this.known.of(terms);
  }

  /** A ticket waits, anew when the pool has it already. */
  enqueue(ticketId: string, terms: Terms, enqueuedAtMs: number, nowMs: number, boostMs = 0): Decision[] {
    this.begin(nowMs);
    if (terms.interrupts && !this.hasInterrupting) this.expectInterrupting();
    const before = this.tickets.find(ticketId);
    if (before >= 0) this.takeBack(before, 'escalated');
    const ticket = this.tickets.addNew(ticketId, terms, enqueuedAtMs, enqueuedAtMs - boostMs - terms.boostMs);
    this.say(this.rings.begin(ticket, nowMs));
    this.wait(ticket);
    return this.end();
  }

  /** A ticket counts as waiting shorter or longer; whoever has it keeps it. */
  reprioritize(ticketId: string, priority: TicketPriority, boostMs: number, nowMs: number): Decision[] {
    this.begin(nowMs);
    const ticket = this.tickets.find(ticketId);
    if (ticket < 0) return this.decisions;
    const isWaiting = this.leaveLine(ticket);
    const terms = this.known.of({ ...this.tickets.terms[ticket]!.given, priority });
    this.tickets.terms[ticket] = terms;
    this.tickets.virtualMs[ticket] = this.tickets.enqueuedAtMs[ticket]! - boostMs - terms.boostMs;
    if (isWaiting) this.wait(ticket);
    return this.end();
  }

  /** The pool has nothing more to do with a ticket: it is done, or belongs elsewhere. */
  withdraw(ticketId: string, reason: TicketWithdrawn['data']['reason'], nowMs: number): Decision[] {
    this.begin(nowMs);
    const ticket = this.tickets.find(ticketId);
    if (ticket >= 0) this.takeBack(ticket, reason);
    return this.end();
  }

  /** An agent is as said. Outside the pool they are forgotten. */
  place(profile: AgentProfile, presence: Presence, isHere: boolean, nowMs: number): Decision[] {
    this.begin(nowMs);
    const { agentId } = profile;
    const known = this.agents.get(agentId);
    if (!known && !isHere) return this.decisions;
    const agent = known ?? this.addAgent({ profile, presence: 'offline', responding: true, idleSinceMs: nowMs });
    this.unsettle(agent, () => {
      this.setProfile(agent, profile);
      this.setPresence(agent, isHere ? presence : 'offline');
    });
    if (agent.presence !== 'available' && agent.offered >= 0) this.endOffer(agent.offered, 'agent_offline');
    if (agent.presence === 'offline') for (const ticket of this.tickets.inOrder([...this.tickets.assignedTo(agent)])) this.takeFromOffline(agent, ticket);
    this.settle(agent);
    this.declinedMayReturn = true;
    if (!isHere) this.removeAgent(agent);
    return this.end();
  }

  answer(ticketId: string, offerId: string, answer: 'accepted' | 'declined', nowMs: number): Decision[] {
    this.begin(nowMs);
    const ticket = this.offered(ticketId, offerId);
    if (ticket < 0) return this.decisions;
    const agent = this.agents.all[this.tickets.holders[ticket]!]!;
    const offer = this.tickets.offers.get(ticket)!;
    if (answer === 'declined') {
      this.tickets.declinedBy.set(ticket, [...(this.tickets.declinedBy.get(ticket) ?? []), offer.agentId]);
      this.endOffer(ticket, 'declined');
      this.settle(agent);
    } else {
      agent.offered = -1;
      this.tickets.offers.delete(ticket);
      this.tickets.declinedBy.delete(ticket);
      this.assign(ticket, agent, offer);
    }
    return this.end();
  }

  /** Nobody answered an offer in time: its agent gets nothing more until they come back. */
  expire(ticketId: string, offerId: string, nowMs: number): Decision[] {
    this.begin(nowMs);
    const ticket = this.offered(ticketId, offerId);
    if (ticket < 0) return this.decisions;
    const agent = this.agents.all[this.tickets.holders[ticket]!]!;
    this.unsettle(agent, () => {
      agent.responding = false;
      agent.awaySinceMs = nowMs;
    });
    this.endOffer(ticket, 'expired');
    this.settle(agent);
    this.declinedMayReturn = true;
    return this.end();
  }

  /** The time of a ring that was open since then is over. */
  endRing(ticketId: string, ring: number, openedAtMs: number, nowMs: number): Decision[] {
    this.begin(nowMs);
    const ticket = this.tickets.find(ticketId);
    if (ticket < 0 || !this.rings.isOpen(ticket, ring, openedAtMs)) return this.decisions;
    this.say(this.rings.beginNext(ticket, nowMs));
    if (this.leaveLine(ticket)) this.wait(ticket);
    return this.end();
  }

  private begin(nowMs: number): void {
    this.decisions = NOTHING;
    this.nowMs = nowMs;
    // Nothing is left over, except when what was kept has been matched by other rules.
    this.match();
  }

  private say(decision: Decision | undefined): void {
    if (!decision) return;
    if (this.decisions === NOTHING) this.decisions = [decision];
    else this.decisions.push(decision);
  }

  private end(): Decision[] {
    this.match();
    return this.decisions;
  }

  /** Brings tickets and agents together after what has changed. The agents first: they take the oldest of all, and not just what has come in. */
  private match(): void {
    if (this.eligibility.turned.length > 0) this.moveDisplaced();
    // In the order in which they were freed; who is given a ticket without being asked may take another.
    for (let next = 0; next < this.freed.length; next++) this.serve(this.freed[next]!);
    clear(this.freed);
    if (this.declinedMayReturn) for (const ticket of this.tickets.declinedBy.keys()) this.unplaced.push(ticket);
    this.declinedMayReturn = false;
    if (this.unplaced.length > 1) this.tickets.inOrder(this.unplaced);
    for (const ticket of this.unplaced) while (this.tickets.isWaiting(ticket) && this.offerToBest(ticket));
    clear(this.unplaced);
  }

  /** Gives the agent the first ticket in line for them, else they stand ready. When there are only such as they have declined, perhaps everybody has. */
  private serve(agent: Agent): void {
    agent.isFreed = false;
    if (!this.hasRoom(agent)) return;
    const ticket = this.firstFor(agent);
    if (ticket >= 0) this.give(ticket, agent);
    else {
      agent.skills.ready.add(agent, this.agents);
      this.eligibility.ready.add(agent.skills.bit);
      if (this.tickets.declinedBy.size > 0) this.declinedMayReturn = true;
    }
  }

  private firstFor(agent: Agent): number {
    return pickTicket(agent, this.waiting, this.nowMs - (this.rules.maxAgeMs ?? Number.POSITIVE_INFINITY));
  }

  /**
   * Offers the ticket to whom it suits best. When several have come back at once, that agent may have another to take first: then the next agent is looked for.
   * Returns whether somebody has been found.
   */
  private offerToBest(ticket: number): boolean {
    const declined = this.tickets.declinedBy.size > 0 ? this.tickets.declinedBy.get(ticket) : undefined;
    const need = this.needOf(ticket);
    const agent = pickAgent(need, this.pool, declined ? (other) => !declined.includes(this.agents.ids[other]!) : anybody);
    if (agent) {
      this.give(this.unplaced.length > 1 ? this.firstFor(agent) : ticket, agent);
      return true;
    }
    if (!declined || this.hasSomebodyLeft(need, declined)) return false;
    const again = pickAgent(need, this.pool, anybody);
    if (!again) return false;
    this.tickets.declinedBy.delete(ticket);
    this.give(ticket, again);
    return true;
  }

  /** Whether an agent may still say yes to a ticket that others have declined. */
  private hasSomebodyLeft({ servers, weight, eligible }: Need, declined: readonly string[]): boolean {
    const count = servers.reduce((sum, { profile }) => sum + profile.ready.countable(weight), 0);
    const decliners = declined.filter((agentId) => {
      const agent = this.agents.get(agentId);
      return agent && isReachable(agent) && agent.capacity >= weight && eligible.has(agent.skills.bit);
    });
    return count > decliners.length;
  }

  private give(ticket: number, agent: Agent): void {
    const { offerTimeoutMs } = this.tickets.terms[ticket]!;
    const offer = { offerId: this.nextOfferId(), agentId: agent.profile.agentId, offeredAtMs: this.nowMs, expiresAtMs: this.nowMs + offerTimeoutMs };
    if (offerTimeoutMs === 0) {
      this.leaveLine(ticket);
      return this.assign(ticket, agent, offer);
    }
    const record = decisionRecord(
      { need: this.needOf(ticket), ring: this.tickets.rungs[ticket]!, declinedBy: this.tickets.declinedBy.get(ticket) ?? [] },
      agent,
      this.rules,
    );
    this.leaveLine(ticket);
    this.tickets.offers.set(ticket, offer);
    this.tickets.holders[ticket] = agent.number;
    agent.offered = ticket;
    this.settle(agent);
    this.say({ type: 'offered', ticketId: this.tickets.ids[ticket]!, offer, waitedMs: this.waitedMs(ticket), record });
  }

  private assign(ticket: number, agent: Agent, offer: Offer): void {
    this.tickets.holders[ticket] = agent.number;
    if (this.tickets.ringsOpenedAtMs.size > 0) this.tickets.ringsOpenedAtMs.delete(ticket);
    if (this.tickets.declinedBy.size > 0) this.tickets.declinedBy.delete(ticket);
    this.carry(agent, ticket);
    agent.idleSinceMs = this.nowMs;
    this.settle(agent);
    this.say({ type: 'assigned', ticketId: this.tickets.ids[ticket]!, offer, team: agent.profile.team, waitedMs: this.waitedMs(ticket) });
  }

  /** The ticket waits again: its offer came to nothing. */
  private endOffer(ticket: number, reason: TicketRequeued['data']['reason']): void {
    const offer = this.tickets.offers.get(ticket)!;
    this.agents.get(offer.agentId)!.offered = -1;
    this.tickets.offers.delete(ticket);
    this.say({ type: 'requeued', ticketId: this.tickets.ids[ticket]!, agentId: offer.agentId, offer, reason });
    this.wait(ticket);
  }

  private takeFromOffline(agent: Agent, ticket: number): void {
    const [ticketId, agentId] = [this.tickets.ids[ticket]!, agent.profile.agentId];
    this.release(agent, ticket);
    this.say({ type: 'unassigned', ticketId, agentId, reason: 'agent_offline' });
    this.say({ type: 'requeued', ticketId, agentId, offer: undefined, reason: 'agent_offline' });
    this.say(this.rings.begin(ticket, this.nowMs));
    this.wait(ticket);
  }

  private takeBack(ticket: number, reason: TicketWithdrawn['data']['reason']): void {
    const ticketId = this.tickets.ids[ticket]!;
    const offer = this.tickets.offers.size > 0 ? this.tickets.offers.get(ticket) : undefined;
    const isWaiting = this.leaveLine(ticket);
    const agent = isWaiting ? undefined : this.agents.all[this.tickets.holders[ticket]!]!;
    if (agent && offer) {
      agent.offered = -1;
      this.say({ type: 'rescinded', ticketId, offer, reason });
    } else if (agent) {
      this.release(agent, ticket);
      this.say({ type: 'unassigned', ticketId, agentId: agent.profile.agentId, reason });
    }
    this.tickets.remove(ticket);
    if (agent) this.settle(agent);
  }

  private carry(agent: Agent, ticket: number): void {
    const { weight, interrupts } = this.tickets.terms[ticket]!;
    this.tickets.chain(agent, ticket);
    agent.used += weight;
    if (interrupts) agent.live += weight;
  }

  private release(agent: Agent, ticket: number): void {
    const { weight, interrupts } = this.tickets.terms[ticket]!;
    this.tickets.unchain(agent, ticket);
    agent.used -= weight;
    if (interrupts) agent.live -= weight;
    agent.idleSinceMs = this.nowMs;
  }

  /** Puts the ticket in line for what is asked for by now. */
  private wait(ticket: number): void {
    const { terms, rungs, holders, lines } = this.tickets;
    holders[ticket] = -1;
    this.say(this.rings.ask(ticket));
    const line = terms[ticket]!.lines[rungs[ticket]!]!;
    lines[ticket] = line;
    this.lines.push(line, ticket);
    this.unplaced.push(ticket);
  }

  /** Whether it was in one. */
  private leaveLine(ticket: number): boolean {
    if (!this.tickets.isWaiting(ticket)) return false;
    this.lines.remove(this.tickets.lines[ticket]!, ticket);
    this.rings.leave(ticket);
    return true;
  }

  /** A need has lost the last who could serve it, or has somebody again: tickets that have, or had, something else to ask for do so. */
  private moveDisplaced(): void {
    for (const ticket of this.rings.movedBy(this.eligibility.turned.splice(0))) {
      this.leaveLine(ticket);
      this.wait(ticket);
    }
  }

  /** After any change of their work, an agent who has room is to be served. */
  private settle(agent: Agent): void {
    this.leaveReady(agent);
    if (agent.isFreed || !this.hasRoom(agent)) return;
    agent.isFreed = true;
    this.freed.push(agent);
  }

  private leaveReady(agent: Agent): void {
    if (!agent.group) return;
    const { ready, bit } = agent.skills;
    ready.remove(agent);
    if (ready.count === 0) this.eligibility.ready.delete(bit);
  }

  private hasRoom(agent: Agent): boolean {
    return isReachable(agent) && agent.offered < 0 && (agent.used < agent.capacity || (this.hasInterrupting && agent.live < agent.capacity));
  }

  /** From now on also those without room may be offered something; before anything else waits, because they are not freed by that. */
  private expectInterrupting(): void {
    this.hasInterrupting = true;
    for (const agent of this.agents) this.settle(this.agents.all[agent]!);
    this.match();
  }

  /** Changes what an agent is, and not just their work; to be settled afterwards. */
  private unsettle(agent: Agent, change: () => void): void {
    this.leaveReady(agent);
    if (isReachable(agent)) agent.skills.ready.countIn(agent, -1);
    change();
    if (isReachable(agent)) agent.skills.ready.countIn(agent, 1);
  }

  private setPresence(agent: Agent, presence: Presence): void {
    const before = agent.presence;
    agent.presence = presence;
    if (before === 'available' && presence !== 'available') agent.awaySinceMs ??= this.nowMs;
    if (before === 'available' || presence !== 'available') return;
    const { awaySinceMs = Number.NEGATIVE_INFINITY, idleSinceMs } = agent;
    const isFlap = this.nowMs - awaySinceMs < FLAP_MS;
    agent.idleSinceMs = isFlap ? idleSinceMs + this.nowMs - Math.max(awaySinceMs, idleSinceMs) : this.nowMs;
    agent.awaySinceMs = undefined;
    agent.responding = true;
  }

  private setProfile(agent: Agent, profile: AgentProfile): void {
    agent.profile = profile;
    agent.capacity = inUnits(profile.capacity);
    const before = agent.skills;
    const skills = this.eligibility.profileOf(profile);
    if (skills === before) return;
    agent.skills = skills;
    skills.members.add(agent);
    this.leaveProfile(agent, before);
  }

  private leaveProfile(agent: Agent, profile: Agent['skills']): void {
    profile.members.delete(agent);
    if (profile.members.size === 0) this.eligibility.remove(profile);
  }

  private addAgent({ profile, presence, responding, idleSinceMs, awaySinceMs }: PoolAgent): Agent {
    const agent: Agent = {
      number: this.agents.add(profile.agentId),
      ...{ profile, presence, responding, idleSinceMs, awaySinceMs },
      skills: this.eligibility.profileOf(profile),
      capacity: inUnits(profile.capacity),
      ...{ used: 0, live: 0, offered: -1, firstAssigned: -1, group: undefined, isFreed: false },
    };
    this.agents.all[agent.number] = agent;
    agent.skills.members.add(agent);
    if (isReachable(agent)) agent.skills.ready.countIn(agent, 1);
    return agent;
  }

  private removeAgent(agent: Agent): void {
    this.leaveProfile(agent, agent.skills);
    this.agents.remove(agent.number);
  }

  private addKept(kept: PoolTicket): void {
    const { ticketId, enqueuedAtMs, boostMs = 0, ring = 0, rung = ring, ringOpenedAtMs, offer, assigneeId, declinedBy } = kept;
    const { tickets } = this;
    const terms = this.terms(kept);
    const ticket = tickets.addNew(ticketId, terms, enqueuedAtMs, enqueuedAtMs - boostMs - terms.boostMs);
    if (terms.interrupts) this.hasInterrupting = true;
    tickets.rings[ticket] = ring;
    tickets.rungs[ticket] = rung;
    if (ringOpenedAtMs !== undefined) tickets.ringsOpenedAtMs.set(ticket, ringOpenedAtMs);
    if (declinedBy.length > 0) tickets.declinedBy.set(ticket, [...declinedBy]);
    const agent = this.agents.get(offer?.agentId ?? assigneeId ?? '');
    if (!agent) return this.wait(ticket);
    tickets.holders[ticket] = agent.number;
    if (!offer) return this.carry(agent, ticket);
    tickets.offers.set(ticket, offer);
    agent.offered = ticket;
  }

  private kept(ticket: number): PoolTicket {
    const { terms, ids, enqueuedAtMs, virtualMs, rings, rungs, ringsOpenedAtMs, offers, holders, declinedBy } = this.tickets;
    const { given, rungs: needs } = terms[ticket]!;
    const [ring, rung] = [rings[ticket]!, rungs[ticket]!];
    const boostMs = enqueuedAtMs[ticket]! - virtualMs[ticket]! - terms[ticket]!.boostMs;
    const offer = offers.get(ticket);
    const openedAtMs = ringsOpenedAtMs.get(ticket);
    const isAssigned = !offer && !this.tickets.isWaiting(ticket);
    return {
      ticketId: ids[ticket]!,
      enqueuedAtMs: enqueuedAtMs[ticket]!,
      ...(boostMs !== 0 && { boostMs }),
      ...(needs.length > 1 && { ring, rung }),
      ...(openedAtMs !== undefined && { ringOpenedAtMs: openedAtMs }),
      ...(offer && { offer }),
      ...(isAssigned && { assigneeId: this.agents.ids[holders[ticket]!]! }),
      declinedBy: declinedBy.get(ticket) ?? [],
      ...given,
    };
  }

  /** The ticket with this offer, or -1 when it has another, or none. */
  private offered(ticketId: string, offerId: string): number {
    const ticket = this.tickets.find(ticketId);
    return this.tickets.offers.get(ticket)?.offerId === offerId ? ticket : -1;
  }

  private needOf(ticket: number): Need {
    return this.tickets.terms[ticket]!.rungs[this.tickets.rungs[ticket]!]!;
  }

  private waitedMs(ticket: number): number {
    return Math.max(0, this.nowMs - this.tickets.enqueuedAtMs[ticket]!);
  }
}

/** Most of what happens leads to one decision or none. */
const NOTHING: Decision[] = [];

/** Keeps the list's memory, which setting its length would not. */
function clear(list: unknown[]): void {
  while (list.length > 0) list.pop();
}

const anybody = (): boolean => true;

/** Whether the agent would answer an offer, now or when they have finished something. */
const isReachable = ({ presence, responding }: Agent): boolean => presence === 'available' && responding;
