import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RUN_DIR } from './parts.ts';

/** An empty folder that goes with the test run, and an embedded PostgreSQL in it too, even if the test cannot see to it. */
export function testFolder(name = 'test'): Promise<string> {
  return mkdtemp(join(process.env[RUN_DIR] ?? tmpdir(), `${name}-`));
}
