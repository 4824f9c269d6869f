/** Small whole numbers, 32 to a word: two sets are compared word by word. */
export class BitSet {
  private words = new Int32Array(1);
  private count = 0;

  get size(): number {
    return this.count;
  }

  add(bit: number): void {
    if (this.has(bit)) return;
    this.count++;
    const word = bit >> 5;
    if (word >= this.words.length) {
      const { words } = this;
      this.words = new Int32Array(2 * word);
      this.words.set(words);
    }
    this.words[word]! |= 1 << (bit & 31);
  }

  delete(bit: number): void {
    if (!this.has(bit)) return;
    this.count--;
    this.words[bit >> 5]! &= ~(1 << (bit & 31));
  }

  has(bit: number): boolean {
    return ((this.words[bit >> 5] ?? 0) & (1 << (bit & 31))) !== 0;
  }

  meets({ words }: BitSet): boolean {
    const length = Math.min(words.length, this.words.length);
    for (let word = 0; word < length; word++) if ((words[word]! & this.words[word]!) !== 0) return true;
    return false;
  }
}
