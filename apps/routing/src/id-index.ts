const NONE = -1;
const FIRST_CAPACITY = 128;

/**
 * Finds the number of what has an id. Numbers stand in one array, by the hashes of their ids, at 16 to 32 bytes each. A `Map` of a million ids takes up to twice that, and
 * was most of a decision's time: it reads every id that it meets on its way, where here the hash beside the number tells.
 */
export class IdIndex {
  /** By slot: a number, or none, and beside it the hash of its id. */
  private pairs = emptyPairs(FIRST_CAPACITY);
  private count = 0;
  /** What was looked for last, its hash, and where it is: whoever looks goes on to add it or to remove it. */
  private lastId: string | undefined;
  private lastHash = 0;
  private lastAt = 0;

  /** `ids` by number; whatever is in the index keeps its id. */
  constructor(private readonly ids: readonly (string | undefined)[]) {}

  find(id: string): number {
    return this.pairs[this.look(id)]!;
  }

  /** Notes the number of an id that is new. */
  add(number: number): void {
    if (4 * ++this.count > this.pairs.length) this.grow();
    const at = this.placeOf(this.ids[number]!);
    this.pairs[at] = number;
    this.pairs[at + 1] = this.lastHash;
  }

  /** Closes the gap, so that whoever stands behind it is found without passing through. */
  remove(id: string): void {
    let gap = this.placeOf(id);
    const { pairs } = this;
    const mask = pairs.length - 1;
    this.count--;
    this.lastId = undefined;
    for (let at = (gap + 2) & mask; pairs[at] !== NONE; at = (at + 2) & mask) {
      const isAtHome = ((at - (pairs[at + 1]! << 1)) & mask) < ((at - gap) & mask);
      if (isAtHome) continue;
      pairs[gap] = pairs[at]!;
      pairs[gap + 1] = pairs[at + 1]!;
      gap = at;
    }
    pairs[gap] = NONE;
  }

  private placeOf(id: string): number {
    return id === this.lastId ? this.lastAt : this.look(id);
  }

  /** Where the id's pair is, or would be. */
  private look(id: string): number {
    const { pairs, ids } = this;
    const mask = pairs.length - 1;
    const hash = hashOf(id);
    let at = (hash << 1) & mask;
    while (pairs[at] !== NONE && (pairs[at + 1] !== hash || ids[pairs[at]!] !== id)) at = (at + 2) & mask;
    this.lastId = id;
    this.lastHash = hash;
    this.lastAt = at;
    return at;
  }

  private grow(): void {
    const { pairs } = this;
    this.lastId = undefined;
    this.pairs = emptyPairs(pairs.length);
    const mask = this.pairs.length - 1;
    for (let old = 0; old < pairs.length; old += 2) {
      if (pairs[old] === NONE) continue;
      let at = (pairs[old + 1]! << 1) & mask;
      while (this.pairs[at] !== NONE) at = (at + 2) & mask;
      this.pairs[at] = pairs[old]!;
      this.pairs[at + 1] = pairs[old + 1]!;
    }
  }
}

const emptyPairs = (slots: number): Int32Array<ArrayBuffer> => new Int32Array(2 * slots).fill(NONE);

/** FNV-1a of the UTF-16 units, mixed once more, because the lowest bits choose the slot. */
function hashOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < id.length; at++) hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193);
  return hash ^ (hash >>> 15);
}
