/** Times [start, end) in order that neither touch nor overlap. Added in order, a year of them takes microseconds. */
export class Spans {
  private starts: Float64Array<ArrayBuffer>;
  private ends: Float64Array<ArrayBuffer>;
  private count = 0;

  /** With room for so many before more has to be made. */
  constructor(capacity: number) {
    this.starts = new Float64Array(capacity);
    this.ends = new Float64Array(capacity);
  }

  clear(): void {
    this.count = 0;
  }

  get length(): number {
    return this.count;
  }

  start(index: number): number {
    return this.starts[index]!;
  }

  end(index: number): number {
    return this.ends[index]!;
  }

  /** Copies that take no more room than they need. */
  toArrays(): { starts: Float64Array; ends: Float64Array } {
    return { starts: this.starts.slice(0, this.count), ends: this.ends.slice(0, this.count) };
  }

  /** Unites a span with those that are here. An empty one changes nothing. */
  add(start: number, end: number): void {
    if (end <= start) return;
    const last = this.count - 1;
    if (last < 0 || start > this.ends[last]!) this.append(start, end);
    else if (start < this.starts[last]!) this.insert(start, end);
    else if (end > this.ends[last]!) this.ends[last] = end;
  }

  private append(start: number, end: number): void {
    if (this.count === this.starts.length) {
      this.starts = doubled(this.starts);
      this.ends = doubled(this.ends);
    }
    this.starts[this.count] = start;
    this.ends[this.count++] = end;
  }

  private insert(start: number, end: number): void {
    const spans = Array.from({ length: this.count }, (_, index) => [this.starts[index]!, this.ends[index]!] as const);
    this.count = 0;
    for (const span of [...spans, [start, end] as const].sort(([a], [b]) => a - b)) this.add(...span);
  }
}

function doubled(array: Float64Array): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(2 * array.length);
  larger.set(array);
  return larger;
}
