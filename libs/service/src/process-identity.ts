import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_EVERY_MS = 10;

/** A process that a later one with the same number cannot be mistaken for. */
export interface ProcessIdentity {
  pid: number;
  /** Clock ticks from the boot of the machine to the start of the process; null where there is no /proc. */
  startTicks: string | null;
}

/** The identity of a running process; null when there is none (a zombie has ended too). */
export function identifyProcess(pid: number): ProcessIdentity | null {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it runs, and belongs to another user.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return null;
  }
  if (process.platform !== 'linux') return { pid, startTicks: null };
  try {
    // proc_pid_stat(5): the name, field 2, may hold spaces and brackets; the state is field 3, the start field 22.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? null : { pid, startTicks: fields[19] ?? null };
  } catch {
    return null;
  }
}

/** Whether exactly this process still runs. In a restarted container its number may belong to another one. */
export function isRunning({ pid, startTicks }: ProcessIdentity): boolean {
  const now = identifyProcess(pid);
  return now !== null && now.startTicks === startTicks;
}

/** Signals exactly this process; does nothing when it has ended. */
export function signalProcess(target: ProcessIdentity, signal: NodeJS.Signals): void {
  if (!isRunning(target)) return;
  try {
    process.kill(target.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Signals a process and waits until it has ended; after `withinMs` it is killed. */
export async function endProcess(target: ProcessIdentity, signal: NodeJS.Signals, withinMs: number): Promise<void> {
  signalProcess(target, signal);
  for (const deadline = Date.now() + withinMs; isRunning(target); await sleep(POLL_EVERY_MS)) {
    if (Date.now() > deadline) signalProcess(target, 'SIGKILL');
  }
}
