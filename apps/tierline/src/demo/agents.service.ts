import { setTimeout as sleep } from 'node:timers/promises';
import { AGENT_REPLIES } from './contact-texts.ts';

/** How often an agent looks for offers. */
const LOOK_EVERY_MS = 250;
const LEASE_SECONDS = 15;

/** Where each service answers. */
export type UrlOf = (service: string) => string;

interface Offer {
  offerId: string;
  ticketId: string;
}

/** A simulated agent: comes in, accepts most offers, declines or misses some, answers, and resolves. Talks to Tierline over its public API only. */
export class SimulatedAgent {
  private readonly tasks = new Set<Promise<void>>();
  /** Offers this agent has already made up its mind about. */
  private readonly seen = new Set<string>();

  constructor(
    readonly id: string,
    private readonly token: string,
    private readonly urlOf: UrlOf,
    private readonly random: () => number,
  ) {}

  /** Works until `signal`; then finishes nothing more. */
  async work(signal: AbortSignal): Promise<void> {
    let renewAt = 0;
    while (!signal.aborted) {
      try {
        if (performance.now() >= renewAt) {
          await this.ask('PUT', `${this.urlOf('people')}/people/v1/agents/${this.id}/presence`, { presence: 'available', leaseSeconds: LEASE_SECONDS });
          renewAt = performance.now() + (LEASE_SECONDS * 1000) / 3;
        }
        const { offers } = (await this.ask('GET', `${this.urlOf('routing')}/routing/v1/offers?agent=${this.id}`)) as { offers: Offer[] };
        for (const offer of offers) if (!this.seen.has(offer.offerId)) this.begin(offer, signal);
      } catch {
        // The service may be restarting; agents are patient people.
      }
      await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
    await Promise.all(this.tasks);
  }

  private begin(offer: Offer, signal: AbortSignal): void {
    this.seen.add(offer.offerId);
    const task = this.handle(offer, signal)
      .catch(() => undefined)
      .finally(() => this.tasks.delete(task));
    this.tasks.add(task);
  }

  private async handle({ offerId, ticketId }: Offer, signal: AbortSignal): Promise<void> {
    const chance = this.random();
    if (chance < 0.05) return; // Away from the desk: the offer runs out.
    await this.pause(300, 900, signal);
    if (chance < 0.12) {
      await this.ask('POST', `${this.urlOf('routing')}/routing/v1/offers/${offerId}/decline`, { reason: 'on the phone' });
      return;
    }
    await this.ask('POST', `${this.urlOf('routing')}/routing/v1/offers/${offerId}/accept`, {});
    await this.pause(1_500, 5_000, signal);
    // X refuses the same text twice.
    const text = `${AGENT_REPLIES[Math.floor(this.random() * AGENT_REPLIES.length)]!} (${this.id}, ${ticketId.slice(-6)})`;
    await this.ask('POST', `${this.urlOf('tickets')}/tickets/v1/tickets/${ticketId}/replies`, { text, public: true });
    await this.pause(1_000, 4_000, signal);
    await this.ask('PATCH', `${this.urlOf('tickets')}/tickets/v1/tickets/${ticketId}`, { status: 'solved' });
  }

  private async pause(minMs: number, maxMs: number, signal: AbortSignal): Promise<void> {
    await sleep(minMs + this.random() * (maxMs - minMs), undefined, { signal });
  }

  private async ask(method: string, url: string, body?: unknown): Promise<unknown> {
    const response = await fetch(url, {
      method,
      headers: { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${await response.text()}`);
    return response.json();
  }
}
