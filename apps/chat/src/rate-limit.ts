/** A person types a few lines in quick succession, and not more for long. */
const BURST = 40;
const PER_SECOND = 10;

/** A bucket of permits that fills at a steady rate. Times are milliseconds of one clock that never goes back. */
export class RateLimit {
  private permits = BURST;
  private filledAt: number;

  constructor(now: number) {
    this.filledAt = now;
  }

  /** 0 when the call may go ahead, else how long to wait. */
  take(now: number): number {
    this.permits = Math.min(BURST, this.permits + ((now - this.filledAt) / 1_000) * PER_SECOND);
    this.filledAt = now;
    if (this.permits < 1) return Math.ceil(((1 - this.permits) / PER_SECOND) * 1_000);
    this.permits -= 1;
    return 0;
  }
}
