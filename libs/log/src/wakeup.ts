/** Lets a worker sleep until there is work. A wake that comes while the worker is busy is remembered: a lost one would cost a whole poll interval. */
export class Wakeup {
  private dirty = false;
  private resolve: (() => void) | undefined;

  wake(): void {
    this.dirty = true;
    this.resolve?.();
  }

  /** Forgets wakes until now: before a look that sees all they were about. */
  clear(): void {
    this.dirty = false;
  }

  /** Resolves at once when woken since the last wait, else on the next wake or after `maxMs`. */
  async wait(maxMs: number): Promise<void> {
    if (!this.dirty) {
      await new Promise<void>((done) => {
        const timer = setTimeout(done, maxMs);
        this.resolve = () => {
          clearTimeout(timer);
          done();
        };
      });
      this.resolve = undefined;
    }
    this.dirty = false;
  }
}
