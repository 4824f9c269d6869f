import { cp, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { testFolder } from '@tierline/testing/test-folder';
import { startEmbedded } from './embedded.ts';
import { startOverKafka } from './kafka.ts';
import type { Installation, InstallationOptions } from './installation.ts';
import { picture, table } from './picture.ts';
import { addUp, isClean } from './report.ts';
import { chaos, type ChaosResult } from './run.ts';

/** From here on there is time for two installations over Kafka. */
const LONG_SECONDS = 120;

const USAGE = `npm run chaos -- --seconds N [--kafka] [--seed S] [--json]

Kills, freezes and cuts off a running Tierline under load for N seconds; embedded it goes on until every kind of fault has come.
Then adds up whether anything was lost, done twice, out of order, or not in time, and ends with 1 if so.`;

const { values: options } = parseArgs({
  options: { seconds: { type: 'string' }, seed: { type: 'string' }, kafka: { type: 'boolean' }, json: { type: 'boolean' } },
});
const seconds = Number(options.seconds);
const seed = Number(options.seed ?? Math.floor(Math.random() * 1_000_000));
if (!Number.isInteger(seconds) || seconds <= 0 || !Number.isInteger(seed)) {
  console.error(USAGE);
  process.exit(2);
}

/** What has to be ended whatever happens, the last one first. */
const endings: (() => Promise<void>)[] = [];
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void endAll().finally(() => process.exit(130)));
const folder = await testFolder('chaos');
endings.push(() => rm(folder, { recursive: true, force: true }));

try {
  const runs = installations();
  const results: ChaosResult[] = [];
  for (const [index, { name, start }] of runs.entries()) {
    const share = seconds / runs.length;
    const shown = picture(share);
    results.push(
      await chaos({
        start,
        folder: join(folder, name),
        seconds: share,
        wholeRound: !options.kafka,
        seed: seed + index,
        onProgress: (progress) => shown.show(progress),
        onExit: (end) => endings.push(end),
      }),
    );
    shown.done();
    if (index < runs.length - 1) await endAll(1);
  }
  const report = addUp(results, seconds, seed);
  const clean = isClean(report, results);
  process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : table(report, results));
  if (!clean) process.stderr.write(`what was found, the ledger and the logs of the processes: ${await keep(results)}\n`);
  process.exitCode = clean ? 0 : 1;
} catch (error) {
  console.error(error);
  process.exitCode = 1;
}
await endAll();
process.exit();

/** Over Kafka a long run has two halves: a single broker, which is away when it is killed, and three, whose leaders move. */
function installations(): { name: string; start: (given: InstallationOptions) => Promise<Installation> }[] {
  if (!options.kafka) return [{ name: 'embedded', start: startEmbedded }];
  return (seconds < LONG_SECONDS ? [1] : [1, 3]).map((brokers) => ({ name: `kafka-${brokers}`, start: (given) => startOverKafka(given, brokers) }));
}

/** Ends what was begun after the first few. */
async function endAll(after = 0): Promise<void> {
  for (const end of endings.splice(after).reverse()) await end().catch(console.error);
}

/** Keeps what helps to understand a failure. */
async function keep(results: readonly ChaosResult[]): Promise<string> {
  const kept = join('.tierline', `chaos-${seed}`);
  await rm(kept, { recursive: true, force: true });
  await mkdir(kept, { recursive: true });
  const findings = results.flatMap((result) => [
    ...result.findings.map(({ kind, what }) => `${kind}: ${what}`),
    ...result.crashed.map((name) => `${name} ended by itself`),
    ...result.strikes.map(({ what, at }) => `${new Date(at).toISOString()} ${what}`),
  ]);
  await writeFile(join(kept, 'findings.txt'), `${findings.join('\n')}\n`);
  for (const path of await readdir(folder, { recursive: true })) {
    if (/^[\w-]+\/([\w-]+\.log|ledger)$/.test(path)) await cp(join(folder, path), join(kept, path));
  }
  return kept;
}
