/** Bins in each doubling of a wait: a bin is 2 % wide. */
const BINS_PER_OCTAVE = 32;
/** From a thousand-millionth of a time unit to a thousand million: what is beyond falls into the last bin. */
const FIRST_OCTAVE = -30;
const OCTAVES = 60;

/** Counts waits by their logarithm, so that the picture can be drawn when the longest are known. */
export class WaitHistogram {
  private readonly counts = new Float64Array(BINS_PER_OCTAVE * OCTAVES);
  private atOnce = 0;
  private total = 0;

  add(wait: number): void {
    this.total++;
    if (wait <= 0) this.atOnce++;
    else this.counts[Math.min(this.counts.length - 1, Math.max(0, Math.floor((Math.log2(wait) - FIRST_OCTAVE) * BINS_PER_OCTAVE)))]!++;
  }

  /** Adds what another one has counted. */
  merge({ counts, atOnce, total }: CountedWaits): void {
    for (let bin = 0; bin < counts.length; bin++) this.counts[bin]! += counts[bin]!;
    this.atOnce += atOnce;
    this.total += total;
  }

  counted(): CountedWaits {
    return { counts: this.counts, atOnce: this.atOnce, total: this.total };
  }

  /**
   * Shares of waits: none at all, then in steps of one round width that reach to where only one in two hundred waits longer, then the rest.
   * A wait stands in the first step whose `upTo` it does not exceed; null is without end.
   */
  steps(atMost: number): { upTo: number | null; share: number }[] {
    if (this.total === 0) return [];
    const steps: { upTo: number | null; share: number }[] = [{ upTo: 0, share: this.atOnce / this.total }];
    if (this.atOnce === this.total) return steps;
    const reach = this.quantile(0.995);
    const width = roundUp(reach / atMost);
    const count = Math.max(1, Math.ceil(reach / width - 1e-9));
    let below = this.atOnce;
    for (let step = 1; step <= count; step++) {
      const upTo = this.countUpTo(step * width);
      steps.push({ upTo: Number((step * width).toPrecision(6)), share: (upTo - below) / this.total });
      below = upTo;
    }
    steps.push({ upTo: null, share: (this.total - below) / this.total });
    return steps;
  }

  private quantile(share: number): number {
    let bin = 0;
    for (let count = this.atOnce; count < share * this.total && bin < this.counts.length; bin++) count += this.counts[bin]!;
    return edge(bin);
  }

  /** Waits within a bin are taken as spread evenly. */
  private countUpTo(wait: number): number {
    let count = this.atOnce;
    let bin = 0;
    for (; bin < this.counts.length && edge(bin + 1) <= wait; bin++) count += this.counts[bin]!;
    if (bin < this.counts.length && wait > edge(bin)) count += (this.counts[bin]! * (wait - edge(bin))) / (edge(bin + 1) - edge(bin));
    return count;
  }
}

/** What a histogram has counted, as it travels between threads. */
export interface CountedWaits {
  counts: Float64Array;
  atOnce: number;
  total: number;
}

const edge = (bin: number): number => 2 ** (bin / BINS_PER_OCTAVE + FIRST_OCTAVE);

/** The next of 1, 2, 5, 10, 20, 50 … */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 2, 5].find((digit) => digit * power >= value) ?? 10);
}
