/** What the items of heaps are called, and where each is in the heap that holds it: -1 in none. An item is a number; it is in one heap at a time. */
export interface HeapItems {
  readonly ids: readonly (string | undefined)[];
  readonly places: Int32Array;
}

const FIRST_CAPACITY = 4;

/**
 * A binary heap of items by key, least first; items of equal keys by their ids, so that the same items always come out the same way. Items can be taken out from
 * anywhere in O(log n). The keys lie beside the items, so that a comparison touches no other memory: 12 bytes an item.
 */
export class Heap {
  private items = new Int32Array(FIRST_CAPACITY);
  private keys = new Float64Array(FIRST_CAPACITY);
  private count = 0;

  constructor(private readonly of: HeapItems) {}

  get size(): number {
    return this.count;
  }

  /** The key of the first; infinite when there is none. */
  get firstKey(): number {
    return this.count === 0 ? Number.POSITIVE_INFINITY : this.keys[0]!;
  }

  /** The first item, or -1. */
  get top(): number {
    return this.count === 0 ? -1 : this.items[0]!;
  }

  keyOf(item: number): number {
    return this.keys[this.of.places[item]!]!;
  }

  push(item: number, key: number): void {
    if (this.count === this.items.length) this.resize(2 * this.count);
    this.rise(item, key, this.count++);
  }

  /** Takes out an item that is in this heap. */
  remove(item: number): void {
    const at = this.of.places[item]!;
    this.of.places[item] = -1;
    const last = this.items[--this.count]!;
    const lastKey = this.keys[this.count]!;
    if (last !== item) this.sink(last, lastKey, this.rise(last, lastKey, at));
    if (4 * this.count < this.items.length && this.items.length > FIRST_CAPACITY) this.resize(this.items.length / 2);
  }

  /** The first item that is wanted, or -1. Costs nothing when that is the first of all; made for few unwanted ones before it. */
  first(isWanted: (item: number) => boolean): number {
    if (this.count === 0) return -1;
    const head = this.items[0]!;
    if (isWanted(head)) return head;
    const frontier = [1, 2].filter((at) => at < this.count);
    while (frontier.length > 0) {
      const next = frontier.reduce((first, at) => (this.comesBefore(this.items[at]!, this.keys[at]!, first) ? at : first));
      const item = this.items[next]!;
      if (isWanted(item)) return item;
      frontier.splice(frontier.indexOf(next), 1, ...[2 * next + 1, 2 * next + 2].filter((at) => at < this.count));
    }
    return -1;
  }

  [Symbol.iterator](): IterableIterator<number> {
    return this.items.slice(0, this.count)[Symbol.iterator]();
  }

  private comesBefore(item: number, key: number, at: number): boolean {
    const other = this.keys[at]!;
    return key < other || (key === other && this.of.ids[item]! < this.of.ids[this.items[at]!]!);
  }

  private rise(item: number, key: number, from: number): number {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.comesBefore(item, key, parent)) break;
      this.put(this.items[parent]!, this.keys[parent]!, at);
      at = parent;
    }
    this.put(item, key, at);
    return at;
  }

  private sink(item: number, key: number, from: number): void {
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.count) break;
      if (child + 1 < this.count && this.comesBefore(this.items[child + 1]!, this.keys[child + 1]!, child)) child++;
      if (this.comesBefore(item, key, child)) break;
      this.put(this.items[child]!, this.keys[child]!, at);
      at = child;
    }
    this.put(item, key, at);
  }

  private put(item: number, key: number, at: number): void {
    this.items[at] = item;
    this.keys[at] = key;
    this.of.places[item] = at;
  }

  private resize(capacity: number): void {
    const { items, keys, count } = this;
    this.items = new Int32Array(capacity);
    this.keys = new Float64Array(capacity);
    this.items.set(items.subarray(0, count));
    this.keys.set(keys.subarray(0, count));
  }
}
