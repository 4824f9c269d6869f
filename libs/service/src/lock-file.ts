import { createHash, randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { identifyProcess, isRunning } from './process-identity.ts';
import type { ProcessIdentity } from './process-identity.ts';

const LOOK_AGAIN_MS = 5;

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
  // The id makes each holding another one, also of the same process.
  await writeFile(mine, JSON.stringify({ ...identifyProcess(process.pid), id: randomUUID() }));
  try {
    // A link appears with its content, so that nobody reads a lock half written.
    while (!(await linked(mine, path)) && !(await inherited(mine, path))) await sleep(LOOK_AGAIN_MS);
  } finally {
    await rm(mine, { force: true });
  }
  return () => rm(path, { force: true });
}

/**
 * Puts ours in the place of a lock whose holder is dead. The right to do so is a lock itself, named after what is replaced:
 * without it, one who has read the dead lock could move away the lock of one who has just replaced it.
 */
async function inherited(mine: string, path: string): Promise<boolean> {
  const seen = await readFile(path, 'utf8').catch(() => null);
  if (seen === null) return false;
  const holder = JSON.parse(seen) as ProcessIdentity;
  if (isRunning(holder)) throw new LockedError(path, holder.pid);
  const right = `${path}.${createHash('sha256').update(seen).digest('hex').slice(0, 12)}`;
  const release = await lockFile(right).catch((error: unknown) => {
    if (error instanceof LockedError) return null;
    throw error;
  });
  if (!release) return false;
  try {
    if ((await readFile(path, 'utf8').catch(() => null)) !== seen) return false;
    await rename(mine, path);
    return true;
  } finally {
    await release();
  }
}

async function linked(mine: string, path: string): Promise<boolean> {
  try {
    await link(mine, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
