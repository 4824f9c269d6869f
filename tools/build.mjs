import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

const root = join(import.meta.dirname, '..');
const stamp = join(root, 'dist/.built');
const lock = join(root, 'dist/.building');

/** Whether any source is newer than the last build. Folders count too: their time changes when a file goes. */
export function isStale() {
  if (!existsSync(stamp)) return true;
  const builtMs = statSync(stamp).mtimeMs;
  const isNewer = (path) => existsSync(path) && statSync(path).mtimeMs > builtMs;
  const anyNewer = (folder) =>
    isNewer(folder) ||
    readdirSync(folder, { withFileTypes: true }).some((entry) => {
      if (entry.isDirectory()) return entry.name !== 'node_modules' && anyNewer(join(folder, entry.name));
      return /(?<!\.spec)\.ts$|^package\.json$/.test(entry.name) && isNewer(join(folder, entry.name));
    });
  return (
    ['rolldown.config.mjs', 'tools/swc.mjs', 'package-lock.json'].some((file) => isNewer(join(root, file))) ||
    ['apps', 'libs', 'test'].some((folder) => existsSync(join(root, folder)) && anyNewer(join(root, folder)))
  );
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Builds every bundle unless they are up to date. Several processes may ask at once: one builds, the others wait for it. */
export async function buildIfStale() {
  mkdirSync(join(root, 'dist'), { recursive: true });
  while (isStale()) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
    } catch {
      const owner = existsSync(lock) ? Number(readFileSync(lock, 'utf8')) : 0;
      if (owner && !isAlive(owner)) rmSync(lock, { force: true });
      await sleep(50);
      continue;
    }
    try {
      if (!isStale()) return;
      const startedAt = new Date();
      process.chdir(root);
      const { build } = await import('rolldown');
      const { default: configs } = await import('../rolldown.config.mjs');
      await build(configs.map((config) => ({ ...config, logLevel: 'warn' })));
      // The time the build began, so that a file saved meanwhile counts as newer.
      writeFileSync(stamp, '');
      utimesSync(stamp, startedAt, startedAt);
    } finally {
      rmSync(lock, { force: true });
    }
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await buildIfStale();
