import type { Need } from './eligibility.ts';
import { Heap, type HeapItems } from './heap.ts';

/** The lines in which tickets wait: those of one line ask the same, and only the first of each is ever looked at. */
export class Lines {
  /** The key of the first ticket by line, infinite where nobody waits: side by side, because whoever is freed looks at many. */
  heads = new Float64Array(64).fill(Number.POSITIVE_INFINITY);
  private readonly lines: { need: Need; tickets: Heap }[] = [];

  /** `linesOfNeed` lines follow each other for every need, in the order of the needs. */
  constructor(
    private readonly of: HeapItems,
    private readonly linesOfNeed: number,
  ) {}

  push(need: Need, line: number, ticket: number, key: number): void {
    const { tickets } = this.lines[line] ?? this.open(need, line);
    tickets.push(ticket, key);
    this.heads[line] = tickets.firstKey;
  }

  remove(line: number, ticket: number): void {
    const { tickets } = this.lines[line]!;
    tickets.remove(ticket);
    this.heads[line] = tickets.firstKey;
  }

  /** The tickets that wait with a need. */
  waitingFor({ firstLine }: Need): number[] {
    return this.lines.slice(firstLine, firstLine + this.linesOfNeed).flatMap((line) => [...line.tickets]);
  }

  needOf(line: number): Need {
    return this.lines[line]!.need;
  }

  ticketsOf(line: number): Heap {
    return this.lines[line]!.tickets;
  }

  private open(need: Need, line: number): { need: Need; tickets: Heap } {
    const last = need.firstLine + this.linesOfNeed;
    if (last > this.heads.length) {
      const { heads } = this;
      this.heads = new Float64Array(2 * last).fill(Number.POSITIVE_INFINITY);
      this.heads.set(heads);
    }
    for (let next = need.firstLine; next < last; next++) this.lines[next] = { need, tickets: new Heap(this.of) };
    return this.lines[line]!;
  }
}
