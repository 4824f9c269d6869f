import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { median } from './figure.ts';

export interface Machine {
  cores: number;
  /** Median time of one `fdatasync` of 8 kB: what a commit cannot be faster than. */
  fsyncMs: number;
  node: string;
  postgres: string;
}

export function machine(postgres: string): Machine {
  return { cores: availableParallelism(), fsyncMs: Number(fsyncMs().toFixed(3)), node: process.version, postgres };
}

function fsyncMs(): number {
  const folder = mkdtempSync(join(tmpdir(), 'tierline-fsync-'));
  const file = openSync(join(folder, 'file'), 'w');
  const block = Buffer.alloc(8192);
  const times = Array.from({ length: 50 }, () => {
    writeSync(file, block);
    const start = performance.now();
    fdatasyncSync(file);
    return performance.now() - start;
  });
  closeSync(file);
  rmSync(folder, { recursive: true });
  return median(times);
}
