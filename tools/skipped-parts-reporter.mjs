import { existsSync, readFileSync, rmSync } from 'node:fs';

/**
 * The last line of a test run: how many suites were skipped because a real part (Kafka, Dovecot, …) could not be had.
 * A suite says so by appending a line `<suite name>: <reason>` to the file named by TIERLINE_SKIPPED_PARTS.
 */
export default class SkippedPartsReporter {
  onRunComplete() {
    // At exit, because Jest prints its own summary after every other reporter.
    process.once('exit', printSkippedParts);
  }
}

function printSkippedParts() {
  const file = process.env.TIERLINE_SKIPPED_PARTS;
  const suites = existsSync(file) ? [...new Set(readFileSync(file, 'utf8').split('\n').filter(Boolean))] : [];
  rmSync(file, { force: true });
  const list = suites.map((suite) => `  ${suite}\n`).join('');
  process.stderr.write(`${list}skipped for want of a part: ${suites.length}\n`);
}
