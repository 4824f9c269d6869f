import type { Need } from './eligibility.ts';
import { Heap } from './heap.ts';
import type { Tickets } from './tickets.ts';

const NONE = -1;
/** A ticket's place when it is chained into its line, and in no heap. */
const CHAINED = -2;
const FIRST_CAPACITY = 64;

/**
 * The lines in which tickets wait: those of one line ask the same, and as a rule only the first of each is looked at. Tickets come nearly in order, because the key
 * of each is when it came, so they are chained one behind the other: a ticket that comes or goes touches its neighbours only, where a heap would touch one ticket
 * on every level. Those that come too late for their place, being older, boosted or back from an agent, stand in a heap beside, so that no order is dear.
 */
export class Lines {
  /** The key of the first ticket by line, infinite where nobody waits: side by side, because whoever is freed looks at many. */
  private heads = new Float64Array(FIRST_CAPACITY).fill(Number.POSITIVE_INFINITY);
  private firsts = new Int32Array(FIRST_CAPACITY).fill(NONE);
  private lasts = new Int32Array(FIRST_CAPACITY).fill(NONE);
  private readonly late: (Heap | undefined)[] = [];

  /** `linesOfNeed` lines follow each other for every need, in the order of the needs. */
  constructor(
    private readonly tickets: Tickets,
    private readonly linesOfNeed: number,
  ) {}

  /** The heads of the lines of so many needs. */
  headsOf(needs: number): Float64Array {
    while (needs * this.linesOfNeed > this.heads.length) this.grow();
    return this.heads;
  }

  push(line: number, ticket: number): void {
    while (line >= this.heads.length) this.grow();
    const { places, nexts, previous, virtualMs } = this.tickets;
    const last = this.lasts[line]!;
    if (last !== NONE && this.tickets.comesBefore(ticket, last)) {
      (this.late[line] ??= new Heap(this.tickets)).push(ticket, virtualMs[ticket]!);
    } else {
      places[ticket] = CHAINED;
      nexts[ticket] = NONE;
      previous[ticket] = last;
      if (last === NONE) this.firsts[line] = ticket;
      else nexts[last] = ticket;
      this.lasts[line] = ticket;
    }
    if (virtualMs[ticket]! < this.heads[line]!) this.heads[line] = virtualMs[ticket]!;
  }

  remove(line: number, ticket: number): void {
    const { places, nexts, previous } = this.tickets;
    if (places[ticket] !== CHAINED) {
      const late = this.late[line]!;
      late.remove(ticket);
      if (late.size === 0) this.late[line] = undefined;
    } else {
      places[ticket] = NONE;
      const before = previous[ticket]!;
      const after = nexts[ticket]!;
      if (before === NONE) this.firsts[line] = after;
      else nexts[before] = after;
      if (after === NONE) this.lasts[line] = before;
      else previous[after] = before;
    }
    const first = this.first(line);
    this.heads[line] = first === NONE ? Number.POSITIVE_INFINITY : this.tickets.virtualMs[first]!;
  }

  /** The first ticket in a line, or -1. */
  first(line: number): number {
    return this.earlier(this.firsts[line]!, this.late[line]?.top ?? NONE);
  }

  /** The first ticket in a line that is wanted, or -1; made for few unwanted ones before it. */
  firstWanted(line: number, isWanted: (ticket: number) => boolean): number {
    let chained = this.firsts[line]!;
    while (chained !== NONE && !isWanted(chained)) chained = this.tickets.nexts[chained]!;
    return this.earlier(chained, this.late[line]?.first(isWanted) ?? NONE);
  }

  /** The tickets that wait with a need. */
  *waitingFor({ firstLine }: Need): Generator<number> {
    for (let line = firstLine; line < Math.min(firstLine + this.linesOfNeed, this.heads.length); line++) {
      for (let ticket = this.firsts[line]!; ticket !== NONE; ticket = this.tickets.nexts[ticket]!) yield ticket;
      yield* this.late[line] ?? [];
    }
  }

  private earlier(a: number, b: number): number {
    if (a === NONE || b === NONE) return Math.max(a, b);
    return this.tickets.comesBefore(a, b) ? a : b;
  }

  private grow(): void {
    const { heads, firsts, lasts } = this;
    const capacity = 2 * heads.length;
    this.heads = new Float64Array(capacity).fill(Number.POSITIVE_INFINITY);
    this.firsts = new Int32Array(capacity).fill(NONE);
    this.lasts = new Int32Array(capacity).fill(NONE);
    this.heads.set(heads);
    this.firsts.set(firsts);
    this.lasts.set(lasts);
  }
}
