/** Beyond so many keys those that have been quiet are forgotten. */
const MAX_QUIET_KEYS = 10_000;

/** A bucket of permits for each key: `burst` at once, and `perSecond` for long. */
export class RateLimit {
  private readonly buckets = new Map<string, { permits: number; filledAt: number }>();
  private sweepAt = MAX_QUIET_KEYS;

  constructor(
    private readonly burst: number,
    private readonly perSecond: number,
  ) {}

  /** Takes a permit and answers 0, or says in how many milliseconds there is one. `now` in milliseconds of a clock that never goes back. */
  take(key: string, now: number): number {
    const bucket = this.buckets.get(key) ?? this.add(key, now);
    bucket.permits = this.filled(bucket, now);
    bucket.filledAt = now;
    if (bucket.permits < 1) return Math.ceil(((1 - bucket.permits) / this.perSecond) * 1_000);
    bucket.permits -= 1;
    return 0;
  }

  get size(): number {
    return this.buckets.size;
  }

  private add(key: string, now: number): { permits: number; filledAt: number } {
    if (this.buckets.size >= this.sweepAt) {
      for (const [quiet, bucket] of this.buckets) if (this.filled(bucket, now) === this.burst) this.buckets.delete(quiet);
      this.sweepAt = Math.max(MAX_QUIET_KEYS, this.buckets.size * 2);
    }
    const bucket = { permits: this.burst, filledAt: now };
    this.buckets.set(key, bucket);
    return bucket;
  }

  private filled({ permits, filledAt }: { permits: number; filledAt: number }, now: number): number {
    return Math.min(this.burst, permits + ((now - filledAt) / 1_000) * this.perSecond);
  }
}
