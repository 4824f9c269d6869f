import { setTimeout as sleep } from 'node:timers/promises';
import { channels, type Customer, type Doors } from './customers.ts';
import { contactName, type Ledger } from './ledger.ts';
import { seeded } from './random.ts';

/** Customers who write at the same time, by channel. Each waits for one acknowledgement before the next contact: that gives the order. */
const LANES: Readonly<Record<string, number>> = { form: 14, mail: 6, chat: 6, sms: 4 };
const MAX_CONTACTS = 6;
/** About 60 contacts a second from all of them. */
const PAUSE_MS = 900;
const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 1_000;

/** Has customers write through the public doors, until told to stop; what was not acknowledged is sent again. */
export class Traffic {
  private conversations = 0;
  private readonly writing = new Set<Customer>();

  constructor(
    private readonly doors: Doors,
    private readonly ledger: Ledger,
    private readonly seed: number,
  ) {}

  /** Begins nothing new after `closing`, and gives up on what is not acknowledged at `closed`. */
  async run(closing: AbortSignal, closed: AbortSignal): Promise<void> {
    closed.addEventListener('abort', () => this.writing.forEach((customer) => void customer.close?.()));
    const lanes = Object.entries(LANES).flatMap(([channel, count]) => Array.from({ length: count }, (_, lane) => ({ channel, lane })));
    await Promise.all(lanes.map(({ channel, lane }, index) => this.lane(channel, lane, seeded(this.seed + index), closing, closed)));
  }

  private async lane(channel: string, lane: number, random: () => number, closing: AbortSignal, closed: AbortSignal): Promise<void> {
    await pause(random() * PAUSE_MS, closing);
    for (let count = 1; !closing.aborted; count++) {
      const conversation = `${channel}${lane}-${count}`;
      const customer = channels[channel]!(this.doors, conversation, ++this.conversations);
      this.writing.add(customer);
      const contacts = 1 + Math.floor(random() * MAX_CONTACTS);
      for (let n = 1; n <= contacts && !closing.aborted; n++) {
        const name = contactName(conversation, n);
        await this.ledger.sent(name);
        // What was given up on may still arrive: nothing may come after it.
        if (!(await sendUntilAcknowledged(() => customer.send(n), closed))) break;
        await this.ledger.acked(name);
        await pause(random() * PAUSE_MS, closing);
      }
      this.writing.delete(customer);
      await customer.close?.();
    }
  }
}

async function sendUntilAcknowledged(send: () => Promise<void>, closed: AbortSignal): Promise<boolean> {
  for (let retryMs = FIRST_RETRY_MS; !closed.aborted; retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS)) {
    try {
      await send();
      return true;
    } catch {
      await pause(retryMs, closed);
    }
  }
  return false;
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
