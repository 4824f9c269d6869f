/** What is to happen when, soonest first; what is to happen at the same time comes out in the order it was put in. */
export class EventHeap {
  private atMs = new Float64Array(1024);
  private order = new Float64Array(1024);
  private what = new Int32Array(1024);
  private length = 0;
  private pushed = 0;

  /** Of what was taken out last. */
  nowMs = 0;
  /** The number that `push` gave it. */
  nowOrder = 0;

  /** Returns a number that is this event's alone. */
  push(atMs: number, what: number): number {
    if (this.length === this.atMs.length) this.grow();
    const order = ++this.pushed;
    let index = this.length++;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      // What is pushed now comes after all that is due at the same time.
      if (this.atMs[parent]! <= atMs) break;
      this.move(parent, index);
      index = parent;
    }
    this.put(index, atMs, order, what);
    return order;
  }

  /** Takes the next event out; undefined when there is none. */
  pop(): number | undefined {
    if (this.length === 0) return undefined;
    const what = this.what[0]!;
    this.nowMs = this.atMs[0]!;
    this.nowOrder = this.order[0]!;
    const last = --this.length;
    const lastMs = this.atMs[last]!;
    const lastOrder = this.order[last]!;
    let index = 0;
    for (let child = 1; child < last; child = 2 * index + 1) {
      if (child + 1 < last && this.isBefore(child + 1, this.atMs[child]!, this.order[child]!)) child++;
      if (!this.isBefore(child, lastMs, lastOrder)) break;
      this.move(child, index);
      index = child;
    }
    this.put(index, lastMs, lastOrder, this.what[last]!);
    return what;
  }

  private isBefore(index: number, atMs: number, order: number): boolean {
    const ms = this.atMs[index]!;
    return ms < atMs || (ms === atMs && this.order[index]! < order);
  }

  private move(from: number, to: number): void {
    this.put(to, this.atMs[from]!, this.order[from]!, this.what[from]!);
  }

  private put(index: number, atMs: number, order: number, what: number): void {
    this.atMs[index] = atMs;
    this.order[index] = order;
    this.what[index] = what;
  }

  private grow(): void {
    const grown = <T extends Float64Array | Int32Array>(to: T, from: T): T => {
      to.set(from);
      return to;
    };
    this.atMs = grown(new Float64Array(2 * this.length), this.atMs);
    this.order = grown(new Float64Array(2 * this.length), this.order);
    this.what = grown(new Int32Array(2 * this.length), this.what);
  }
}
