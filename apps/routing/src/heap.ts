/** Something that knows its place in the heap that holds it; -1 when none does. */
export interface Heaped {
  heapIndex: number;
}

/** A binary heap whose items can be taken out from anywhere in O(log n). An item is in one heap at a time, and is taken out before its order changes. */
export class Heap<T extends Heaped> {
  private readonly items: T[] = [];

  /** `before` is a total order: two items are never equal, so that the same items always come out the same way. */
  constructor(private readonly before: (a: T, b: T) => boolean) {}

  get size(): number {
    return this.items.length;
  }

  push(item: T): void {
    this.items.push(item);
    this.rise(item, this.items.length - 1);
  }

  /** Takes the item out; nothing happens when it is in no heap. */
  remove(item: T): void {
    const index = item.heapIndex;
    if (index < 0) return;
    item.heapIndex = -1;
    const last = this.items.pop()!;
    if (last === item) return;
    this.rise(last, index);
    this.sink(last, last.heapIndex);
  }

  /** The first item that is wanted. Costs nothing when that is the first of all, else grows with the number of unwanted ones before it. */
  first(isWanted: (item: T) => boolean): T | undefined {
    const head = this.items[0];
    if (head === undefined || isWanted(head)) return head;
    const frontier = new Heap<Heaped & { at: number }>((a, b) => this.before(this.items[a.at]!, this.items[b.at]!));
    const look = (at: number): void => {
      if (at < this.items.length) frontier.push({ at, heapIndex: -1 });
    };
    look(1);
    look(2);
    for (let next = frontier.items[0]; next; next = frontier.items[0]) {
      const item = this.items[next.at]!;
      if (isWanted(item)) return item;
      frontier.remove(next);
      look(2 * next.at + 1);
      look(2 * next.at + 2);
    }
    return undefined;
  }

  private rise(item: T, from: number): void {
    let index = from;
    while (index > 0) {
      const parent = this.items[(index - 1) >> 1]!;
      if (!this.before(item, parent)) break;
      this.put(parent, index);
      index = (index - 1) >> 1;
    }
    this.put(item, index);
  }

  private sink(item: T, from: number): void {
    let index = from;
    for (;;) {
      const left = 2 * index + 1;
      if (left >= this.items.length) break;
      const right = left + 1;
      const child = right < this.items.length && this.before(this.items[right]!, this.items[left]!) ? right : left;
      if (!this.before(this.items[child]!, item)) break;
      this.put(this.items[child]!, index);
      index = child;
    }
    this.put(item, index);
  }

  private put(item: T, index: number): void {
    this.items[index] = item;
    item.heapIndex = index;
  }
}
