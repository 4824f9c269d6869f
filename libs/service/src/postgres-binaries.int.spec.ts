import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { linkLibraries, postgresBinaries } from './postgres-binaries.ts';

describe('the PostgreSQL binaries from npm', () => {
  it('are found, with their version', async () => {
    const { initdb, postgres, major } = await postgresBinaries();
    expect(await Promise.all([readFile(initdb), readFile(postgres)])).toHaveLength(2);
    expect(Number(major)).toBeGreaterThanOrEqual(18);
  });

  it('get their library links where install scripts are off, whoever starts first', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'binaries-'));
    await mkdir(join(folder, 'native/lib'), { recursive: true });
    await writeFile(join(folder, 'native/lib/libx.so.1.2'), 'library');
    const links = ['libx.so.1', 'libx.so'].map((name) => ({ source: 'native/lib/libx.so.1.2', target: `native/lib/${name}` }));
    await writeFile(join(folder, 'native/pg-symlinks.json'), JSON.stringify(links));
    await Promise.all([linkLibraries(folder), linkLibraries(folder)]);
    expect(await readFile(join(folder, 'native/lib/libx.so'), 'utf8')).toBe('library');
    await rm(folder, { recursive: true });
  });
});
