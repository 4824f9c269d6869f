/** Log-ins at one server at a time: a provider takes a stampede for an attack. */
const MAX_PER_HOST = 4;

/** Lets so many through per host; the others wait in their order. */
export class ConnectionGate {
  private readonly inside = new Map<string, number>();
  private readonly waiting = new Map<string, (() => void)[]>();

  constructor(private readonly maxPerHost = MAX_PER_HOST) {}

  async through<T>(host: string, work: () => Promise<T>): Promise<T> {
    await this.enter(host);
    try {
      return await work();
    } finally {
      this.leave(host);
    }
  }

  private async enter(host: string): Promise<void> {
    const count = this.inside.get(host) ?? 0;
    if (count >= this.maxPerHost) await new Promise<void>((admitted) => this.waiting.set(host, [...(this.waiting.get(host) ?? []), admitted]));
    else this.inside.set(host, count + 1);
  }

  /** Hands the place on, so that nobody overtakes those who wait. */
  private leave(host: string): void {
    const [next, ...others] = this.waiting.get(host) ?? [];
    this.waiting.set(host, others);
    if (next) next();
    else this.inside.set(host, this.inside.get(host)! - 1);
  }
}
