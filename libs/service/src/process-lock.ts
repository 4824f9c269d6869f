import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';

/** A process that a later one with the same number cannot be mistaken for. */
export interface ProcessIdentity {
  pid: number;
  /** Clock ticks from the boot of the machine to the start of the process; null where there is no /proc. */
  startTicks: string | null;
}

/** Thrown when a live process holds the lock. */
export class LockedError extends Error {
  readonly code = 'LOCKED';
  constructor(
    path: string,
    readonly pid: number,
  ) {
    super(`${path} is held by process ${pid}, which is running`);
  }
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

/** Takes a lock that a process leaves behind free however it ends. Throws LockedError when it is held. */
export async function lockFile(path: string): Promise<() => Promise<void>> {
  const mine = `${path}.${randomUUID()}`;
  await writeFile(mine, JSON.stringify(identifyProcess(process.pid)));
  try {
    // A link appears with its content, so that nobody reads a lock half written.
    while (!(await succeeds(link(mine, path), 'EEXIST'))) await clearStaleLock(path, mine);
  } finally {
    await rm(mine);
  }
  return () => rm(path, { force: true });
}

async function clearStaleLock(path: string, mine: string): Promise<void> {
  const seen = await readFile(path, 'utf8').catch(() => null);
  if (seen === null) return;
  const holder = JSON.parse(seen) as ProcessIdentity;
  if (isRunning(holder)) throw new LockedError(path, holder.pid);
  const moved = `${mine}.stale`;
  if (!(await succeeds(rename(path, moved), 'ENOENT'))) return;
  // Somebody else may have replaced the stale lock since it was read: then it is theirs again.
  if ((await readFile(moved, 'utf8')) !== seen) await succeeds(link(moved, path), 'EEXIST');
  await rm(moved);
}

async function succeeds(work: Promise<void>, expectedFailure: string): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === expectedFailure) return false;
    throw error;
  }
}
