import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { readHeader } from './read-header.ts';
import type { ReadMail } from './read-mail.ts';

export interface ReadTask {
  id: number;
  bytes: Uint8Array;
}

export interface ReadAnswer {
  id: number;
  /** Absent when the mail cannot be parsed. */
  mail?: ReadMail;
}

/** What a thread says when it is ready to read. */
export const READY = 'ready';

interface Job {
  bytes: Buffer;
  /** Was in a worker that died or hung: once more, and then with nobody beside it. */
  suspect: boolean;
  resolve: (mail: ReadMail) => void;
}

interface Thread {
  worker: Worker;
  jobs: Map<number, Job>;
  ready: boolean;
  /** Fires when the thread has not answered anything for too long. */
  watchdog: NodeJS.Timeout | undefined;
}

/** 10 MB of HTML take half a second; what takes so long on a busy machine is made to. */
const TIME_LIMIT_MS = 30_000;
/** Loading takes a second, on a machine that has nothing else to do. */
const START_LIMIT_MS = 60_000;
/** Threads that die before they are ready, one after the other: there is no memory, or no program. */
const MAX_FAILED_STARTS = 3;
const MEMORY_LIMIT_MB = 512;
/** A larger nursery, such as the default of 48 MB, costs a thread 15 MB and hardly makes it faster. */
const YOUNG_MEMORY_MB = 16;
/** Mails in one thread at a time: mailparser spends half its time waiting for its own streams. */
const JOBS_PER_THREAD = 8;
/** One core is left to everything else. */
const MAX_THREADS = Math.min(4, Math.max(1, availableParallelism() - 1));

/** Reads mails in worker threads, with a limit to the time and memory that one may take. A mail that exceeds them, or cannot be parsed, is read by its header. */
export class MailReader {
  private readonly waiting: Job[] = [];
  private readonly threads = new Set<Thread>();
  private lastId = 0;
  private failedStarts = 0;

  constructor(
    private readonly limits: { timeMs: number; memoryMb: number; threads: number } = { timeMs: TIME_LIMIT_MS, memoryMb: MEMORY_LIMIT_MB, threads: MAX_THREADS },
  ) {}

  /** Never rejects: the worst mail still has its bytes. */
  async read(bytes: Buffer): Promise<ReadMail> {
    return new Promise((resolve) => {
      this.waiting.push({ bytes, suspect: false, resolve });
      this.dispatch();
    });
  }

  /** Starts the first thread ahead of the first mail: loading takes about a second. */
  warm(): void {
    if (this.threads.size === 0) this.startThread();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.threads].map(({ worker }) => worker.terminate()));
  }

  private dispatch(): void {
    for (let job = this.waiting[0]; job; job = this.waiting[0]) {
      const thread = this.threadFor(job);
      if (!thread) return;
      this.waiting.shift();
      const id = ++this.lastId;
      thread.jobs.set(id, job);
      thread.worker.ref();
      if (thread.ready) thread.watchdog ??= this.watch(thread);
      thread.worker.postMessage({ id, bytes: job.bytes } satisfies ReadTask);
    }
  }

  private threadFor(job: Job): Thread | undefined {
    const free = [...this.threads].filter(({ jobs }) => {
      if (job.suspect) return jobs.size === 0;
      return jobs.size < JOBS_PER_THREAD && ![...jobs.values()].some(({ suspect }) => suspect);
    });
    const idlest = free.sort((a, b) => a.jobs.size - b.jobs.size)[0];
    if (idlest && (idlest.jobs.size === 0 || this.threads.size === this.limits.threads)) return idlest;
    return this.threads.size < this.limits.threads ? this.startThread() : idlest;
  }

  private startThread(): Thread {
    const file = import.meta.url.endsWith('.ts') ? './mail.worker.ts' : './mail.worker.js';
    const worker = new Worker(new URL(file, import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: this.limits.memoryMb, maxYoungGenerationSizeMb: YOUNG_MEMORY_MB },
    });
    const thread: Thread = { worker, jobs: new Map(), ready: false, watchdog: undefined };
    this.threads.add(thread);
    thread.watchdog = setTimeout(() => void worker.terminate(), START_LIMIT_MS).unref();
    // Nobody waits for an idle reader.
    worker.unref();
    worker.on('message', (answer: ReadAnswer | typeof READY) => (answer === READY ? this.begin(thread) : this.finish(thread, answer)));
    // Out of memory comes as an error; either way an exit follows.
    worker.on('error', () => undefined);
    worker.on('exit', () => this.bury(thread));
    return thread;
  }

  private watch(thread: Thread): NodeJS.Timeout {
    return setTimeout(() => void thread.worker.terminate(), this.limits.timeMs);
  }

  private begin(thread: Thread): void {
    this.failedStarts = 0;
    thread.ready = true;
    clearTimeout(thread.watchdog);
    thread.watchdog = thread.jobs.size > 0 ? this.watch(thread) : undefined;
  }

  private finish(thread: Thread, { id, mail }: ReadAnswer): void {
    const job = thread.jobs.get(id)!;
    thread.jobs.delete(id);
    clearTimeout(thread.watchdog);
    thread.watchdog = thread.jobs.size > 0 ? this.watch(thread) : undefined;
    if (thread.jobs.size === 0) thread.worker.unref();
    job.resolve(mail ?? headerOnly(job.bytes));
    this.dispatch();
  }

  /** The thread is gone. Which of its mails was at fault shows when each is alone. */
  private bury(thread: Thread): void {
    clearTimeout(thread.watchdog);
    this.threads.delete(thread);
    if (!thread.ready) this.failedStarts++;
    for (const job of thread.jobs.values()) {
      const isGuilty = thread.ready ? job.suspect : this.failedStarts >= MAX_FAILED_STARTS;
      if (isGuilty) job.resolve(headerOnly(job.bytes));
      else this.waiting.unshift({ ...job, suspect: thread.ready || job.suspect });
    }
    this.dispatch();
  }
}

/** What is left of a mail that cannot be parsed. */
export function headerOnly(bytes: Buffer): ReadMail {
  return { ...readHeader(bytes), attachments: [], unparsable: true, truncated: false };
}
