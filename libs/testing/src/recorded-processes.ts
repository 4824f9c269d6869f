import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { identifyProcess, signalProcess } from '@tierline/service/process-identity';
import type { ProcessIdentity } from '@tierline/service/process-identity';
import { RUN_DIR } from './parts.ts';

const SUFFIX = '.process';

/** A server's surroundings: what it prints goes to a file, and it may run as somebody else. */
export interface Surroundings {
  logFile: string;
  cwd?: string;
  user?: { uid: number; gid: number };
}

/** Starts a server, and notes it so that it ends with the test run even if no test ends it. */
export async function spawnRecorded(program: string, args: string[], { logFile, cwd, user }: Surroundings): Promise<ProcessIdentity> {
  const log = await open(logFile, 'a');
  // Detached: Ctrl-C in the terminal is for us, who end the server after our own work.
  const child = spawn(program, args, { cwd, uid: user?.uid, gid: user?.gid, detached: true, stdio: ['ignore', log.fd, log.fd] });
  await once(child, 'spawn').finally(() => log.close());
  child.unref();
  const identity = identifyProcess(child.pid!) ?? { pid: child.pid!, startTicks: null };
  const runDir = process.env[RUN_DIR];
  if (runDir) await writeFile(join(runDir, `${identity.pid}${SUFFIX}`), JSON.stringify(identity));
  return identity;
}

/** Kills what is left of the processes noted in the folder of a run. */
export async function endRecordedProcesses(dir: string): Promise<void> {
  for (const name of await readdir(dir)) {
    if (name.endsWith(SUFFIX)) signalProcess(JSON.parse(await readFile(join(dir, name), 'utf8')) as ProcessIdentity, 'SIGKILL');
  }
}
