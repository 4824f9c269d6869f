import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { transform } from '@swc/core';
import { swc } from './tools/swc.mjs';

/** All *.worker.ts below a folder, as bundle entries of their own: a worker thread starts from a file. */
function workers(folder) {
  const files = existsSync(folder)
    ? readdirSync(folder, { recursive: true }).filter((file) => file.endsWith('.worker.ts') && !file.includes('node_modules'))
    : [];
  return Object.fromEntries(files.map((file) => [basename(file, '.ts'), join(folder, file)]));
}

/** One bundle: our own code in one place, node_modules left outside, so that one image serves every app. */
function bundle(main, dir, workerFolders) {
  return {
    input: Object.assign({ main }, ...workerFolders.map(workers)),
    platform: 'node',
    // On a busy machine every plugin seems slow.
    checks: { pluginTimings: false },
    external: (id) => /^(?![./]|@tierline\/)/.test(id),
    // No hash and no folder for chunks: import.meta.url is in the same folder in every one of them, and a rebuild leaves nothing behind.
    output: { dir, format: 'esm', sourcemap: true, chunkFileNames: '[name].js' },
    plugins: [
      {
        name: 'swc',
        transform: {
          filter: { id: /\.ts$/ },
          handler: async (code, filename) => ({ ...(await transform(code, { ...swc(), filename, sourceMaps: true })), moduleType: 'js' }),
        },
      },
    ],
  };
}

const apps = process.env.APP ? [process.env.APP] : readdirSync('apps').map((app) => `apps/${app}`);
const tests = process.env.APP ? [] : ['bench', 'chaos'];

export default [
  // apps/tierline runs the other apps' code, so it also brings their workers.
  ...apps.map((app) => [`${app}/src/main.ts`, `dist/${app}`, ['libs', app === 'apps/tierline' ? 'apps' : app]]),
  ...tests.map((test) => [`test/${test}/main.ts`, `dist/${test}`, ['libs', 'apps']]),
]
  .filter(([main]) => existsSync(main))
  .map(([main, dir, workerFolders]) => bundle(main, dir, workerFolders));
