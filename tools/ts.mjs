// Runs a TypeScript file without building: node --import ./tools/ts.mjs file.ts
import { readFileSync } from 'node:fs';
import module from 'node:module';
import { fileURLToPath } from 'node:url';
import { transformSync } from '@swc/core';
import { swc } from './swc.mjs';

export function load(url, context, next) {
  if (!/^file:.*\.ts$/.test(url)) return next(url, context);
  const filename = fileURLToPath(url);
  const { code } = transformSync(readFileSync(filename, 'utf8'), { ...swc(), filename, sourceMaps: 'inline' });
  return { format: 'module', shortCircuit: true, source: code };
}

// registerHooks exists from Node 22.15 on; before it, hooks live in a thread that loads this file once more.
if (module.registerHooks) module.registerHooks({ load });
else if (!import.meta.url.endsWith('?hooks')) module.register(`${import.meta.url}?hooks`);
