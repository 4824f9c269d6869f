import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '@tierline/service/free-port';
import { NODE_FLAGS } from '@tierline/service/node-flags';
import { endProcess, identifyProcess, isRunning, signalProcess, type ProcessIdentity } from '@tierline/service/process-identity';

/** Ten processes that start at once on two cores, after a crash that the database has to recover from. */
const READY_WITHIN_MS = 120_000;
const LOOK_EVERY_MS = 50;
const ANSWER_WITHIN_MS = 1_000;
const STOP_WITHIN_MS = 30_000;

export interface ServiceProcessOptions {
  /** What runs, and with what arguments. */
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly logFile: string;
}

/** A process of Tierline that is killed, frozen, and started again: each time on new ports, because the old ones may be taken meanwhile. */
export class ServiceProcess {
  httpPort = 0;
  smtpPort = 0;
  /** When it was started last, in ms of the monotonic clock. */
  startedAt = 0;
  isFrozen = false;
  /** How often it ended though nobody killed it. */
  crashes = 0;
  private identity: ProcessIdentity | undefined;
  private starting = false;
  private killed = false;
  private ended = false;

  constructor(
    readonly name: string,
    private readonly options: ServiceProcessOptions,
  ) {}

  get isUp(): boolean {
    return this.identity !== undefined && !this.isFrozen && isRunning(this.identity);
  }

  /** Starts it and waits until it is ready. One that ends meanwhile (its database is away) is started again, as any supervisor would. */
  async start(): Promise<void> {
    this.starting = true;
    this.killed = false;
    const deadline = performance.now() + READY_WITHIN_MS;
    while (!this.ended && !this.killed) {
      if (!this.identity || !isRunning(this.identity)) await this.spawn();
      if (await this.isReady()) break;
      if (performance.now() > deadline) throw new Error(`${this.name} was not ready within ${READY_WITHIN_MS / 1000} s: ${await this.lastWords()}`);
      await sleep(LOOK_EVERY_MS);
    }
    this.starting = false;
  }

  /** SIGKILL. */
  kill(): void {
    this.killed = true;
    this.isFrozen = false;
    if (this.identity) signalProcess(this.identity, 'SIGKILL');
  }

  freeze(): void {
    this.isFrozen = true;
    if (this.identity) signalProcess(this.identity, 'SIGSTOP');
  }

  thaw(): void {
    this.isFrozen = false;
    if (this.identity) signalProcess(this.identity, 'SIGCONT');
  }

  /** Starts it again when it has ended by itself. */
  async revive(): Promise<void> {
    if (this.identity === undefined || this.starting || this.killed || this.ended || isRunning(this.identity)) return;
    this.crashes++;
    await this.start();
  }

  /** For good. Also for one that was killed or is frozen. */
  async end(by: NodeJS.Signals): Promise<void> {
    this.ended = true;
    if (!this.identity) return;
    if (this.isFrozen) this.thaw();
    await endProcess(this.identity, by, STOP_WITHIN_MS);
  }

  private async spawn(): Promise<void> {
    this.startedAt = performance.now();
    [this.httpPort, this.smtpPort] = [await freePort(), await freePort()];
    const env = { ...process.env, ...this.options.env, PORT: String(this.httpPort), SMTP_PORT: String(this.smtpPort) };
    const log = await open(this.options.logFile, 'a');
    // Detached: Ctrl-C in the terminal is for us. The channel tells it when we are gone.
    const child = spawn(process.execPath, [...NODE_FLAGS, ...this.options.args], { env, detached: true, stdio: ['ignore', log.fd, log.fd, 'ipc'] });
    await once(child, 'spawn').finally(() => log.close());
    this.identity = identifyProcess(child.pid!) ?? { pid: child.pid!, startTicks: null };
  }

  private async isReady(): Promise<boolean> {
    return fetch(`http://127.0.0.1:${this.httpPort}/ready`, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) }).then(
      ({ ok }) => ok,
      () => false,
    );
  }

  private async lastWords(): Promise<string> {
    return (await readFile(this.options.logFile, 'utf8').catch(() => '')).slice(-1_500);
  }
}
