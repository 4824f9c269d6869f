import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { describeWith, requireJavaAndMaven } from '@tierline/testing';
import type { Report } from './chaos/report.ts';

/** Half of it on two idle cores. */
const WITHIN_MS = 300_000;
const CLEAN = { lost: 0, doubled: 0, outOfOrder: 0, timersLost: 0, timersDoubled: 0 };

/** Runs `npm run chaos` as anybody would. */
async function chaos(...options: string[]): Promise<Report> {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../tools/run.mjs'), 'chaos', '--json', ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [said, complained, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  if (status !== 0) throw new Error(`chaos ended with ${status}\n${complained}${said}`);
  return JSON.parse(said) as Report;
}

function expectClean(report: Report): void {
  expect(report).toMatchObject(CLEAN);
  expect(report.stored).toBeGreaterThanOrEqual(report.acked);
  expect(report.acked).toBeGreaterThan(0);
  expect(report.timersDue).toBeGreaterThan(0);
}

describe('a Tierline in one process that is killed, frozen and cut off', () => {
  it(
    'loses nothing, does nothing twice, keeps the order and every clock',
    async () => {
      const report = await chaos('--seconds', '25', '--seed', '7');
      expectClean(report);
      const spoilt = ['doors', 'database'].flatMap((what) => [`${what}Cut`, `${what}AnswersLost`, `${what}Stalled`]);
      expect(new Set(Object.keys(report.kills))).toEqual(new Set(['tierline', 'postgres', 'postgresBackend', 'zombie', ...spoilt]));
    },
    WITHIN_MS,
  );
});

await describeWith('a Tierline of many processes over Kafka that are killed, frozen and cut off', requireJavaAndMaven, () => {
  it(
    'loses nothing, does nothing twice, keeps the order and every clock',
    async () => {
      // With this seed the database is cut off first, then three services are killed, the broker, and a consumer is frozen if there is time.
      const report = await chaos('--kafka', '--seconds', '20', '--seed', '260');
      expectClean(report);
      expect(report.kills).toHaveProperty('databaseCut');
    },
    WITHIN_MS,
  );
});
