#!/usr/bin/env node
// The tierline command: builds the bundles when a source is newer, then becomes the program.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isStale } from './build.mjs';

const dist = join(import.meta.dirname, '../dist');
const [command, ...rest] = process.argv.slice(2);
const isTestProgram = command === 'bench' || command === 'chaos';
const program = join(dist, isTestProgram ? command : 'apps/tierline', 'main.js');

// In a process of its own: the bundler's memory must not count as the server's.
if (isStale()) {
  const { status } = spawnSync(process.execPath, [join(import.meta.dirname, 'build.mjs')], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
if (!existsSync(program)) {
  console.error(`There is no ${program}: the build made none.`);
  process.exit(1);
}

process.argv.splice(1, Infinity, program, ...(isTestProgram ? rest : process.argv.slice(2)));
process.setSourceMapsEnabled(true);
module.enableCompileCache?.(); // from Node 22.1 on: starts about a third faster
await import(pathToFileURL(program).href);
