import type { Need } from './eligibility.ts';
import type { Lines } from './lines.ts';
import type { Decision } from './pool-state.ts';
import { rungFrom } from './terms.ts';
import type { Tickets } from './tickets.ts';

type RingBegan = Extract<Decision, { type: 'ring_began' }>;
type RingOpened = Extract<Decision, { type: 'ring_opened' }>;

/** What each ticket asks for by now: its rings follow each other in time, and what nobody has gives way to the next that somebody has. */
export class Rings {
  /** Waiting tickets that ask for something else than their ring because nobody has that, or for what nobody has. */
  private readonly displaced = new Set<number>();

  constructor(
    private readonly tickets: Tickets,
    private readonly lines: Lines,
  ) {}

  /** Whether the ticket's ring is this one, and was opened then. */
  isOpen(ticket: number, ring: number, openedAtMs: number): boolean {
    return this.tickets.rings[ticket] === ring && this.tickets.ringsOpenedAtMs.get(ticket) === openedAtMs;
  }

  /** The time of the ticket's ring begins, unless it is the last, which has no end. */
  begin(ticket: number, nowMs: number): RingBegan | undefined {
    const { ids, terms, rings, ringsOpenedAtMs } = this.tickets;
    const { given, lastRing } = terms[ticket]!;
    const ring = rings[ticket]!;
    if (ring === lastRing) {
      if (lastRing > 0) ringsOpenedAtMs.delete(ticket);
      return undefined;
    }
    ringsOpenedAtMs.set(ticket, nowMs);
    return { type: 'ring_began', ticketId: ids[ticket]!, ring, openedAtMs: nowMs, endsAtMs: nowMs + given.rings![ring]!.durationMs };
  }

  /** As `begin`, for the ring after this one. */
  beginNext(ticket: number, nowMs: number): RingBegan | undefined {
    this.tickets.rings[ticket]! += 1;
    return this.begin(ticket, nowMs);
  }

  /** Settles what a ticket that begins to wait asks for. Says so when those are other agents than before. */
  ask(ticket: number): RingOpened | undefined {
    const { ids, terms, rings, rungs } = this.tickets;
    const { rungs: needs } = terms[ticket]!;
    if (needs.length === 1) return undefined;
    const [ring, before] = [rings[ticket]!, rungs[ticket]!];
    const rung = rungFrom(terms[ticket]!, ring);
    const { required, servers } = needs[rung]!;
    if (rung !== ring || servers.length === 0) this.displaced.add(ticket);
    if (rung === before) return undefined;
    rungs[ticket] = rung;
    const candidates = servers.reduce((sum, { profile }) => sum + profile.members.size, 0);
    const reason = rung < before ? 'somebody' : rung === ring ? 'time' : 'nobody';
    return { type: 'ring_opened', ticketId: ids[ticket]!, ring: rung, reason, required, candidates };
  }

  /** A ticket waits no more. */
  leave(ticket: number): void {
    if (this.displaced.size > 0) this.displaced.delete(ticket);
  }

  /** The waiting tickets that ask for something else now that needs have lost the last who could serve them, or have somebody again; first those that come first. */
  movedBy(turned: readonly Need[]): number[] {
    const { tickets } = this;
    const moved = new Set<number>();
    for (const need of turned.filter(({ servers }) => servers.length === 0)) {
      for (const ticket of this.lines.waitingFor(need)) if (tickets.terms[ticket]!.rungs.length > 1) moved.add(ticket);
    }
    if (turned.some(({ servers }) => servers.length > 0)) {
      for (const ticket of this.displaced) if (rungFrom(tickets.terms[ticket]!, tickets.rings[ticket]!) !== tickets.rungs[ticket]) moved.add(ticket);
    }
    return tickets.inOrder([...moved]);
  }
}
