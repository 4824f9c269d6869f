import type { Terms } from './terms.ts';
import type { Offer } from './pool-state.ts';
import { Numbered } from './numbered.ts';

const NONE = -1;

/** The tickets in the hands of a pool. A waiting one costs about 50 bytes here, besides its id. */
export class Tickets extends Numbered {
  readonly terms: (Terms | undefined)[] = [];
  enqueuedAtMs = new Float64Array(this.places.length);
  /** When it would have come, had it no boost: what tickets are ordered by. */
  virtualMs = new Float64Array(this.places.length);
  /** The line in which it waits, or did last. */
  lines = new Int32Array(this.places.length);
  /** Its neighbours in its line, or among what its agent has. */
  nexts = new Int32Array(this.places.length);
  previous = new Int32Array(this.places.length);
  /** The agent to whom the ticket is offered or assigned, by number, or -1. */
  holders = new Int32Array(this.places.length);
  /** The ring whose time it is; past the last one what is required without. */
  rings = new Uint8Array(this.places.length);
  /** What is asked for: as a rule the ring, further on when nobody has that. */
  rungs = new Uint8Array(this.places.length);
  readonly ringsOpenedAtMs = new Map<number, number>();
  readonly offers = new Map<number, Offer>();
  /** Who has declined a ticket, until everybody has. */
  readonly declinedBy = new Map<number, string[]>();

  addNew(ticketId: string, terms: Terms, enqueuedAtMs: number, virtualMs: number): number {
    const ticket = this.add(ticketId);
    this.terms[ticket] = terms;
    this.enqueuedAtMs[ticket] = enqueuedAtMs;
    this.virtualMs[ticket] = virtualMs;
    this.holders[ticket] = NONE;
    this.rings[ticket] = 0;
    this.rungs[ticket] = 0;
    return ticket;
  }

  isWaiting(ticket: number): boolean {
    return this.places[ticket] !== NONE;
  }

  comesBefore(a: number, b: number): boolean {
    const difference = this.virtualMs[a]! - this.virtualMs[b]!;
    return difference < 0 || (difference === 0 && this.ids[a]! < this.ids[b]!);
  }

  /** Adds a ticket to those that an agent has: chained like those of a line, because it is in none. */
  chain(agent: { firstAssigned: number }, ticket: number): void {
    const after = agent.firstAssigned;
    this.previous[ticket] = NONE;
    this.nexts[ticket] = after;
    if (after !== NONE) this.previous[after] = ticket;
    agent.firstAssigned = ticket;
  }

  unchain(agent: { firstAssigned: number }, ticket: number): void {
    const before = this.previous[ticket]!;
    const after = this.nexts[ticket]!;
    if (before === NONE) agent.firstAssigned = after;
    else this.nexts[before] = after;
    if (after !== NONE) this.previous[after] = before;
  }

  *assignedTo({ firstAssigned }: { firstAssigned: number }): Generator<number> {
    for (let ticket = firstAssigned; ticket !== NONE; ticket = this.nexts[ticket]!) yield ticket;
  }

  /** The same tickets, first those that come first. */
  inOrder(tickets: number[]): number[] {
    return tickets.sort((a, b) => (this.comesBefore(a, b) ? -1 : 1));
  }

  override remove(ticket: number): void {
    super.remove(ticket);
    this.terms[ticket] = undefined;
    if (this.ringsOpenedAtMs.size > 0) this.ringsOpenedAtMs.delete(ticket);
    if (this.offers.size > 0) this.offers.delete(ticket);
    if (this.declinedBy.size > 0) this.declinedBy.delete(ticket);
  }

  protected override grow(capacity: number): void {
    super.grow(capacity);
    this.enqueuedAtMs = grown(this.enqueuedAtMs, new Float64Array(capacity));
    this.virtualMs = grown(this.virtualMs, new Float64Array(capacity));
    this.lines = grown(this.lines, new Int32Array(capacity));
    this.nexts = grown(this.nexts, new Int32Array(capacity));
    this.previous = grown(this.previous, new Int32Array(capacity));
    this.holders = grown(this.holders, new Int32Array(capacity));
    this.rings = grown(this.rings, new Uint8Array(capacity));
    this.rungs = grown(this.rungs, new Uint8Array(capacity));
  }
}

function grown<A extends Float64Array | Int32Array | Uint8Array>(from: A, to: A): A {
  to.set(from);
  return to;
}
