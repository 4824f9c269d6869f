import type { Terms } from './terms.ts';
import type { Offer } from './pool-state.ts';
import { Numbered } from './numbered.ts';

const NOBODY = -1;

/** The tickets in the hands of a pool. A waiting one costs about 30 bytes here, besides its id. */
export class Tickets extends Numbered {
  readonly terms: (Terms | undefined)[] = [];
  enqueuedAtMs = new Float64Array(this.places.length);
  boostMs = new Float64Array(this.places.length);
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

  addNew(ticketId: string, terms: Terms, enqueuedAtMs: number, boostMs: number): number {
    const ticket = this.add(ticketId);
    this.terms[ticket] = terms;
    this.enqueuedAtMs[ticket] = enqueuedAtMs;
    this.boostMs[ticket] = boostMs;
    this.holders[ticket] = NOBODY;
    this.rings[ticket] = 0;
    this.rungs[ticket] = 0;
    return ticket;
  }

  isWaiting(ticket: number): boolean {
    return this.places[ticket]! >= 0;
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
    this.boostMs = grown(this.boostMs, new Float64Array(capacity));
    this.holders = grown(this.holders, new Int32Array(capacity));
    this.rings = grown(this.rings, new Uint8Array(capacity));
    this.rungs = grown(this.rungs, new Uint8Array(capacity));
  }
}

function grown<A extends Float64Array | Int32Array | Uint8Array>(from: A, to: A): A {
  to.set(from);
  return to;
}
