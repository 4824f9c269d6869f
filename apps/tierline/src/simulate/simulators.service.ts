import { Worker } from 'node:worker_threads';
import type { Outcome } from './replicate.ts';
import type { SimulationSpec } from './spec.ts';

/** What a thread is asked. */
export interface ReplicationTask {
  spec: SimulationSpec;
  replication: number;
}

/** What it answers: how far it is, and in the end what came of it. */
export type ReplicationAnswer = { share: number } | { outcome: Outcome };

interface Job {
  readonly task: ReplicationTask;
  readonly onShare: (share: number) => void;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: Error) => void;
}

/** Threads that run replications. Which thread runs which changes nothing about what comes out. */
export class Simulators {
  private readonly waiting: Job[] = [];
  private readonly running = new Map<Worker, Job | undefined>();

  constructor(threads: number) {
    const file = import.meta.url.endsWith('.ts') ? './replication.worker.ts' : './replication.worker.js';
    for (let n = 0; n < threads; n++) {
      const worker = new Worker(new URL(file, import.meta.url));
      this.running.set(worker, undefined);
      worker.on('message', (answer: ReplicationAnswer) => this.hear(worker, answer));
      worker.on('error', (error) => this.fail(worker, error));
    }
  }

  /** The outcomes of all replications, in order. `onProgress` hears how much of the whole is done. */
  async run(spec: SimulationSpec, onProgress: (share: number) => void = () => undefined): Promise<Outcome[]> {
    const shares = new Float64Array(spec.replications);
    return Promise.all(
      Array.from({ length: spec.replications }, (_, replication) => {
        const onShare = (share: number): void => {
          shares[replication] = share;
          onProgress(shares.reduce((sum, each) => sum + each, 0) / shares.length);
        };
        return new Promise<Outcome>((resolve, reject) => {
          this.waiting.push({ task: { spec, replication }, onShare, resolve, reject });
          this.dispatch();
        });
      }),
    );
  }

  async close(): Promise<void> {
    await Promise.all([...this.running.keys()].map((worker) => worker.terminate()));
  }

  private dispatch(): void {
    for (const [worker, job] of this.running) {
      if (job) continue;
      const next = this.waiting.shift();
      if (!next) return;
      this.running.set(worker, next);
      worker.postMessage(next.task);
    }
  }

  private hear(worker: Worker, answer: ReplicationAnswer): void {
    const job = this.running.get(worker)!;
    if ('share' in answer) return job.onShare(answer.share);
    this.running.set(worker, undefined);
    job.onShare(1);
    job.resolve(answer.outcome);
    this.dispatch();
  }

  private fail(worker: Worker, error: Error): void {
    this.running.get(worker)?.reject(error);
    this.running.delete(worker);
    if (this.running.size === 0) for (const { reject } of this.waiting.splice(0)) reject(error);
  }
}
