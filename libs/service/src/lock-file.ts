import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { identifyProcess, isRunning } from './process-identity.ts';
import type { ProcessIdentity } from './process-identity.ts';

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
