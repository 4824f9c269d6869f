const NONE = -1;
const FIRST_CAPACITY = 128;

/**
 * Finds the number of what has an id. Numbers stand in one array, by the hashes of their ids, at 16 to 32 bytes each. A `Map` of a million ids takes up to twice that, and
 * was most of a decision's time: it reads every id that it meets on its way, where here the hash beside the number tells.
 */
export class IdIndex {
  private slots = new Int32Array(FIRST_CAPACITY).fill(NONE);
  private hashes = new Int32Array(FIRST_CAPACITY);
  private count = 0;
  /** What was looked for last, its hash, and where it is: whoever looks goes on to add it or to remove it. */
  private lastId: string | undefined;
  private lastHash = 0;
  private lastSlot = NONE;

  /** `ids` by number; whatever is in the index keeps its id. */
  constructor(private readonly ids: readonly (string | undefined)[]) {}

  find(id: string): number {
    return this.slots[this.slotOf(id)]!;
  }

  /** Notes the number of an id that is new. */
  add(number: number): void {
    if (2 * ++this.count > this.slots.length) this.grow();
    const slot = this.slotOf(this.ids[number]!);
    this.slots[slot] = number;
    this.hashes[slot] = this.lastHash;
  }

  /** Closes the gap, so that whoever stands behind it is found without passing through. */
  remove(id: string): void {
    let gap = this.slotOf(id);
    const { slots, hashes } = this;
    const mask = slots.length - 1;
    this.count--;
    this.lastId = undefined;
    for (let slot = (gap + 1) & mask; slots[slot] !== NONE; slot = (slot + 1) & mask) {
      const isAtHome = ((slot - hashes[slot]!) & mask) < ((slot - gap) & mask);
      if (isAtHome) continue;
      slots[gap] = slots[slot]!;
      hashes[gap] = hashes[slot]!;
      gap = slot;
    }
    slots[gap] = NONE;
  }

  /** Where the id is, or would be. */
  private slotOf(id: string): number {
    if (id === this.lastId) return this.lastSlot;
    const { slots, hashes, ids } = this;
    const mask = slots.length - 1;
    const hash = hashOf(id);
    let slot = hash & mask;
    while (slots[slot] !== NONE && (hashes[slot] !== hash || ids[slots[slot]!] !== id)) slot = (slot + 1) & mask;
    this.lastId = id;
    this.lastHash = hash;
    this.lastSlot = slot;
    return slot;
  }

  private grow(): void {
    const { slots, hashes } = this;
    this.lastId = undefined;
    this.slots = new Int32Array(2 * slots.length).fill(NONE);
    this.hashes = new Int32Array(2 * slots.length);
    const mask = this.slots.length - 1;
    slots.forEach((number, old) => {
      if (number === NONE) return;
      let slot = hashes[old]! & mask;
      while (this.slots[slot] !== NONE) slot = (slot + 1) & mask;
      this.slots[slot] = number;
      this.hashes[slot] = hashes[old]!;
    });
  }
}

/** FNV-1a of the UTF-16 units, mixed once more, because the lowest bits choose the slot. */
function hashOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < id.length; at++) hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193);
  return hash ^ (hash >>> 15);
}
