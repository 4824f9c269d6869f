import type { HeapItems } from './heap.ts';
import { IdIndex } from './id-index.ts';

const FIRST_CAPACITY = 64;

/** Things that are told apart by ids outside and by small numbers inside, so that what is known of each can stand in columns. */
export class Numbered implements HeapItems {
  readonly ids: (string | undefined)[] = [];
  places = new Int32Array(FIRST_CAPACITY).fill(-1);
  private readonly index = new IdIndex(this.ids);
  private readonly free: number[] = [];

  /** The number of what has an id, or -1. */
  find(id: string): number {
    return this.index.find(id);
  }

  /** Gives a number that no other has now to what is new. */
  add(id: string): number {
    const number = this.free.pop() ?? this.ids.length;
    this.ids[number] = id;
    this.index.add(number);
    if (number === this.places.length) this.grow(2 * number);
    return number;
  }

  remove(number: number): void {
    this.index.remove(this.ids[number]!);
    this.ids[number] = undefined;
    this.free.push(number);
  }

  *[Symbol.iterator](): Generator<number> {
    for (let number = 0; number < this.ids.length; number++) if (this.ids[number] !== undefined) yield number;
  }

  protected grow(capacity: number): void {
    const { places } = this;
    this.places = new Int32Array(capacity).fill(-1);
    this.places.set(places);
  }
}
