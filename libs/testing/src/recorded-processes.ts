import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { identifyProcess, isRunning } from '@tierline/service/process-lock';
import type { ProcessIdentity } from '@tierline/service/process-lock';
import { RUN_DIR } from './parts.ts';

const SUFFIX = '.process';

/** Notes a process that a test started, so that it is ended with the test run even if the test cannot. */
export async function recordProcess(pid: number): Promise<void> {
  const dir = process.env[RUN_DIR];
  if (dir) await writeFile(join(dir, `${pid}${SUFFIX}`), JSON.stringify(identifyProcess(pid)));
}

/** Kills what is left of the processes noted in the folder of a run. */
export async function endRecordedProcesses(dir: string): Promise<void> {
  for (const name of await readdir(dir)) {
    if (!name.endsWith(SUFFIX)) continue;
    const recorded = JSON.parse(await readFile(join(dir, name), 'utf8')) as ProcessIdentity | null;
    if (recorded && isRunning(recorded)) process.kill(recorded.pid, 'SIGKILL');
  }
}
