import { appendFile } from 'node:fs/promises';
import { MissingPartError } from './missing-part.ts';

/**
 * A suite that needs a real part: `await describeWith('the log over Kafka', realKafka, (brokers) => { … })` at the top of a spec.
 * Where the part cannot be had the suite is skipped aloud, and counted in the last line of the test run.
 */
export async function describeWith<T>(suite: string, start: () => Promise<T>, define: (part: T) => void): Promise<void> {
  // Only Jest can load it, and this lib also serves tools.
  const { describe, it } = await import('@jest/globals');
  let part: T;
  try {
    part = await start();
  } catch (error) {
    if (!(error instanceof MissingPartError)) throw error;
    process.stderr.write(`\nSKIPPED ${suite}: ${error.message}\n\n`);
    const list = process.env['TIERLINE_SKIPPED_PARTS'];
    if (list) await appendFile(list, `${suite}: ${error.message}\n`);
    describe.skip(suite, () => it(error.message, () => undefined));
    return;
  }
  describe(suite, () => define(part));
}
