import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { lockFile } from './lock-file.ts';
import { identifyProcess } from './process-identity.ts';

describe('lockFile', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lock-'));
  });
  afterEach(() => rm(dir, { recursive: true }));

  it('is held by one until it is given back', async () => {
    const path = join(dir, 'lock');
    const unlock = await lockFile(path);
    await expect(lockFile(path)).rejects.toMatchObject({ code: 'LOCKED', pid: process.pid });
    await unlock();
    await (
      await lockFile(path)
    )();
    expect(await readdir(dir)).toEqual([]);
  });

  it('goes to exactly one when its holder is dead', async () => {
    const path = join(dir, 'lock');
    // The number of this process, at another start: as after the restart of a container.
    await writeFile(path, JSON.stringify({ ...identifyProcess(process.pid), startTicks: '1' }));
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => lockFile(path)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await readdir(dir)).toEqual(['lock']);
  });
});
