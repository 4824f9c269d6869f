import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, it } from '@jest/globals';

const PUBLIC_VECTORS = join(import.meta.dirname, '../../../test/vectors');

/** One kind of vectors, and how ours is held against them. */
export interface VectorKind<V extends { readonly id: string }> {
  /** What they are called in the summary. */
  readonly name: string;
  /** The vectors in the parsed content of a file; none in a file of another kind. */
  readonly vectorsIn: (content: unknown) => readonly V[];
  /** What is counted in one line of the summary. */
  readonly opOf: (vector: V) => string;
  /** Why a vector says nothing about us. It is counted apart. */
  readonly leftOut?: (vector: V) => string | undefined;
  /** Throws where ours is not what the vector demands. */
  readonly check: (vector: V) => void;
}

interface Line {
  readonly file: string;
  readonly op: string;
  passed: number;
  failed: number;
  leftOut: number;
}

/**
 * Makes a test of each vector of this kind in the *.json files of the folder VECTORS_DIR, by default test/vectors, and prints what passed
 * and failed per file and op: `await testVectors({ … })` at the top of a spec.
 */
export async function testVectors<V extends { readonly id: string }>({ name, vectorsIn, opOf, leftOut, check }: VectorKind<V>): Promise<void> {
  const folder = process.env['VECTORS_DIR'] ?? PUBLIC_VECTORS;
  const files = (await readdir(folder)).filter((file) => file.endsWith('.json')).sort();
  const contents = await Promise.all(files.map(async (file) => vectorsIn(JSON.parse(await readFile(join(folder, file), 'utf8')))));
  const lines: Line[] = [];
  const reasons: string[] = [];

  describe(name, () => {
    for (const [index, file] of files.entries()) {
      for (const vector of contents[index]!) {
        const op = opOf(vector);
        let line = lines.find((known) => known.file === file && known.op === op);
        if (!line) lines.push((line = { file, op, passed: 0, failed: 0, leftOut: 0 }));
        const counted = line;
        const reason = leftOut?.(vector);
        if (reason !== undefined) {
          line.leftOut++;
          reasons.push(`  left out: ${vector.id}: ${reason}\n`);
          continue;
        }
        it(`${file}: ${op}: ${vector.id}`, () => {
          counted.failed++;
          check(vector);
          counted.failed--;
          counted.passed++;
        });
      }
    }
    it(`finds some in ${folder}, or says that there are none`, () => {
      if (lines.length === 0 && folder === PUBLIC_VECTORS) throw new Error(`no file in ${folder} has any`);
    });
    afterAll(() => void process.stdout.write(`\n${name} in ${folder}\n${table(lines)}${reasons.join('')}\n`));
  });
}

function table(lines: readonly Line[]): string {
  const sum = (key: 'passed' | 'failed' | 'leftOut'): number => lines.reduce((total, line) => total + line[key], 0);
  const all = { file: 'all', op: '', passed: sum('passed'), failed: sum('failed'), leftOut: sum('leftOut') };
  const sorted = [...lines].sort((a, b) => a.file.localeCompare(b.file) || a.op.localeCompare(b.op));
  const rows = [...sorted, all].map((line) => [line.file, line.op, line.passed, line.failed, line.leftOut].map(String));
  const head = ['file', 'op', 'passed', 'failed', 'left out'];
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)));
  return [head, ...rows].map((row) => `  ${row.map((cell, at) => (at < 2 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!))).join('  ')}\n`).join('');
}
