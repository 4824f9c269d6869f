import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { signalProcess } from '@tierline/service/process-identity';
import type { ProcessIdentity } from '@tierline/service/process-identity';
import { RUN_DIR } from './parts.ts';

const SUFFIX = '.process';

/** Notes a process that a test started, so that it ends with the test run even if the test does not end it. */
export async function recordProcess(identity: ProcessIdentity): Promise<void> {
  const dir = process.env[RUN_DIR];
  if (dir) await writeFile(join(dir, `${identity.pid}${SUFFIX}`), JSON.stringify(identity));
}

/** Kills what is left of the processes noted in the folder of a run. */
export async function endRecordedProcesses(dir: string): Promise<void> {
  for (const name of await readdir(dir)) {
    if (name.endsWith(SUFFIX)) signalProcess(JSON.parse(await readFile(join(dir, name), 'utf8')) as ProcessIdentity, 'SIGKILL');
  }
}
