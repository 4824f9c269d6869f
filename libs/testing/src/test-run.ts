import { existsSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '@tierline/service/embedded-postgres';
import { lockFile } from '@tierline/service/lock-file';
import { endRecordedProcesses } from './recorded-processes.ts';
import { PARTS_URL, RUN_DIR } from './parts.ts';
import { serveParts } from './parts-server.ts';

const PREFIX = 'tierline-test-';

/** Opens the folder and the parts server of a test run, and tells both to the tests by the environment. */
export async function openRun(): Promise<{ close(): Promise<void> }> {
  await clearLeftovers();
  const dir = join(tmpdir(), `${PREFIX}${process.pid}`);
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir);
  await lockFile(join(dir, 'lock'));
  const parts = await serveParts(dir);
  process.env[RUN_DIR] = dir;
  process.env[PARTS_URL] = parts.url;
  return {
    async close() {
      await parts.stop();
      await clear(dir);
    },
  };
}

/** Ends and removes what killed test runs left. */
async function clearLeftovers(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const dir = join(tmpdir(), name);
    // A folder without a lock is being made at this moment.
    if (!name.startsWith(PREFIX) || !existsSync(join(dir, 'lock'))) continue;
    // Refused when its run is going on, or is another user's.
    const left = await lockFile(join(dir, 'lock')).catch(() => null);
    if (left) await clear(dir);
  }
}

async function clear(dir: string): Promise<void> {
  await endRecordedProcesses(dir);
  for (const dataDir of await runningPostgres(dir, 3)) await (await startPostgres({ dataDir })).stop();
  await rm(dir, { recursive: true, force: true });
}

/** The folders below this one whose PostgreSQL was not stopped: that of the run, and those of processes that a test killed. */
async function runningPostgres(dir: string, depth: number): Promise<string[]> {
  if (existsSync(join(dir, 'cluster'))) return existsSync(join(dir, 'cluster', 'postmaster.pid')) ? [dir] : [];
  if (depth === 0) return [];
  const folders = (await readdir(dir, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  return (await Promise.all(folders.map(({ name }) => runningPostgres(join(dir, name), depth - 1)))).flat();
}
