import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { drawReport } from './draw-report.ts';
import { Progress } from './progress.ts';
import { reportOf } from './report.ts';
import { Simulators } from './simulators.service.ts';
import { readSpec, SpecError } from './spec.ts';

/** `tierline simulate`: reads a specification, runs it on all processors, and prints the report as JSON or for a person. */
export async function simulate(file: string, json: boolean): Promise<void> {
  const spec = readSpec(parse(await readFile(file, 'utf8')));
  const simulators = new Simulators(Math.min(availableParallelism(), spec.replications));
  const progress = new Progress('simulating', process.stderr);
  try {
    const outcomes = await simulators.run(spec, (share) => progress.at(share));
    progress.end();
    const report = reportOf(spec, outcomes);
    process.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : drawReport(report));
  } finally {
    await simulators.close();
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new SpecError([`not JSON: ${(error as Error).message}`]);
  }
}
