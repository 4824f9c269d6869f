/**
 * Runs every public row of queueing theory and of the reference simulation through the simulator, and so through the matcher, and prints ours beside theirs.
 * `npm run verify:routing [folder]`: all *.json of another folder instead; also by VECTORS_DIR.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { styleText } from 'node:util';
import { number } from '../../apps/tierline/src/simulate/draw-report.ts';
import { Progress } from '../../apps/tierline/src/simulate/progress.ts';
import { reportOf, type Report } from '../../apps/tierline/src/simulate/report.ts';
import { Simulators } from '../../apps/tierline/src/simulate/simulators.service.ts';
import type { SimulationSpec } from '../../apps/tierline/src/simulate/spec.ts';
import { bars } from './bars.ts';
import { compare } from './compare.ts';
import { readCases } from './read-cases.ts';

const EFFORTS = { exact: { replications: 20, contacts: 50_000 }, simulated: { replications: 6 } };

const folder = process.argv[2] ?? process.env['VECTORS_DIR'] ?? join(import.meta.dirname, '../vectors');
const { cases, faults } = await readCases(folder, EFFORTS);
if (cases.length + faults.length === 0) {
  console.error(`${folder} has no rows of queues`);
  process.exit(1);
}
const figures = cases.reduce((sum, { expected }) => sum + expected.length, 0);
const simulators = new Simulators(availableParallelism());
const progress = new Progress('verifying', process.stderr);
const work = [...cases.map(({ spec }) => spec), ...bars.flatMap(({ specs }) => specs)].map(contactsIn);
const workInAll = work.reduce((sum, contacts) => sum + contacts, 0);
const done = work.map(() => 0);

async function run(spec: SimulationSpec, index: number): Promise<Report> {
  const outcomes = await simulators.run(spec, (share) => {
    done[index] = share * work[index]!;
    progress.at(done.reduce((sum, contacts) => sum + contacts, 0) / workInAll);
  });
  return reportOf(spec, outcomes);
}

function contactsIn({ replications, warmUp, length }: SimulationSpec): number {
  return replications * ((warmUp?.contacts ?? 0) + (length.contacts ?? 0));
}

const startedAt = performance.now();
// All at once, so that no processor waits for the last replication of a row; printed in order.
let index = 0;
const caseReports = cases.map(({ spec }) => run(spec, index++));
const barReports = bars.map(({ specs }) => Promise.all(specs.map((spec) => run(spec, index++))));

let refused = 0;
let simulated = 0;
for (const [at, { kind, title, spec, expected }] of cases.entries()) {
  const report = await caseReports[at]!;
  simulated += report.contacts;
  progress.end();
  console.log(`\n${styleText('bold', title)} ${styleText('dim', kind)}`);
  for (const each of expected) {
    const { ours, allowed, agrees } = compare(each, each.ours(report), spec.replications, spec.replications * spec.length.contacts!, figures);
    if (!agrees) refused++;
    const theirs = each.simulated ? number({ mean: each.theirs, ci95: each.simulated.ci95 }) : String(each.theirs);
    console.log(
      `  ${each.figure.padEnd(22)} ${number(ours).padStart(24)}   theirs ${theirs.padEnd(22)} within ${allowed.toPrecision(2).padEnd(8)} ${verdict(agrees)}`,
    );
  }
}
console.log(`\n${styleText('bold', 'Bars')}`);
let missed = 0;
for (const [at, { title, judge }] of bars.entries()) {
  const reports = await barReports[at]!;
  simulated += reports.reduce((sum, { contacts }) => sum + contacts, 0);
  const { text, met } = judge(reports);
  if (!met) missed++;
  console.log(`  ${title}: ${text}: ${met ? styleText('green', 'met') : styleText('red', 'MISSED')}`);
}
await simulators.close();
for (const fault of faults) console.error(styleText('red', fault));

const seconds = (performance.now() - startedAt) / 1000;
console.log(
  `\n${cases.length} systems, ${figures} figures, ${refused} outside the combined 99 % intervals, ${faults.length} rows that cannot be asked; ${missed} of ${bars.length} bars missed` +
    `\n${simulated.toLocaleString('en-US')} contacts in ${seconds.toFixed(0)} s on ${availableParallelism()} processors`,
);
process.exitCode = refused + missed + faults.length > 0 ? 1 : 0;

function verdict(good: boolean): string {
  return good ? styleText('green', 'agrees') : styleText('red', 'DIFFERS');
}
