import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Report } from './report.ts';
import { simulate } from './simulate.service.ts';

let folder = '';
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'tierline-simulate-'))));
afterAll(() => rm(folder, { recursive: true }));

async function fileOf(text: string): Promise<string> {
  const file = join(folder, 'spec.json');
  await writeFile(file, text);
  return file;
}

describe('simulate', () => {
  it('prints JSON and nothing else when that is asked', async () => {
    const file = await fileOf(
      JSON.stringify({
        timeUnit: 'second',
        replications: 3,
        length: { contacts: 500 },
        types: [{ name: 'a', arrivals: { kind: 'poisson', rate: 1 }, service: { kind: 'exponential', mean: 2 }, skills: [{ skill: 'a' }] }],
        agents: [{ name: 'agents', count: 3, skills: [{ skill: 'a' }] }],
      }),
    );
    const written: string[] = [];
    const stdout = jest.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0);
    try {
      await simulate(file, true);
    } finally {
      stdout.mockRestore();
    }
    const report = JSON.parse(written.join('')) as Report;
    expect(report).toMatchObject({ replications: 3, contacts: 1500, types: [{ name: 'a', offered: { mean: 500, ci95: 0 } }] });
    expect(report.agents[0]!.each).toHaveLength(3);
  });

  it('refuses what is not JSON', async () => {
    await expect(simulate(await fileOf('{'), true)).rejects.toMatchObject({ code: 'simulation.invalid' });
  });
});
