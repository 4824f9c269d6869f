import type { Logger } from '@nestjs/common';
import { Wakeup, type Leases } from '@tierline/log';

/** How often a process asks whether it may take over, and what it waits after an error. */
const RETRY_MS = 500;

/** A loop that one process at a time runs. The lease saves double work; what the loop does must be safe when two run it for a moment. */
export class LeasedLoop {
  private readonly wakeup = new Wakeup();
  private running: Promise<void> | undefined;
  private stopping = false;
  private owner = false;

  constructor(
    private readonly leases: Leases,
    private readonly lease: string,
    private readonly logger: Logger,
    /** Does one piece of work and returns how long to sleep, 0 when there may be more. */
    private readonly step: () => Promise<number>,
    /** Runs when this process becomes the owner: somebody else may have left things half done. */
    private readonly takeOver: () => Promise<void> = () => Promise.resolve(),
  ) {}

  start(): void {
    this.running = this.run();
  }

  wake(): void {
    this.wakeup.wake();
  }

  /** Ends after the running step. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.wakeup.wake();
    await this.running;
    await this.leases.release(this.lease);
  }

  private async run(): Promise<void> {
    while (!this.stopping) {
      try {
        const sleepMs = (await this.isOwner()) ? await this.step() : RETRY_MS;
        if (sleepMs > 0) await this.wakeup.wait(sleepMs);
      } catch (error) {
        this.logger.warn(`${this.lease}: ${error instanceof Error ? error.message : String(error)}; trying again`);
        if (!this.stopping) await this.wakeup.wait(RETRY_MS);
      }
    }
  }

  private async isOwner(): Promise<boolean> {
    if (this.leases.holds(this.lease)) return this.owner;
    this.owner = false;
    if (!(await this.leases.acquire(this.lease))) return false;
    await this.takeOver();
    this.owner = true;
    return true;
  }
}
