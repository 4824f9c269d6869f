/**
 * Writes the published contracts of all events: JSON Schemas and an AsyncAPI document under libs/events/schemas; and the schema of what the simulator is asked.
 * `--release` also freezes them, with golden samples, under libs/events/golden/<package version>: from then on the gate holds every change against them.
 */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { specSchema } from '../apps/tierline/src/simulate/spec.ts';
import { allEvents } from '../libs/events/src/index.ts';
import { asyncApi, contractName, dataSchema, sampleOf } from '../libs/events/src/contracts.ts';
import { BUCKETS } from '../libs/log/src/bucket.ts';

const root = join(import.meta.dirname, '..');
const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
const schemas = join(root, 'libs/events/schemas');

const write = (path: string, value: unknown): Promise<void> => writeFile(path, `${JSON.stringify(value, null, 2)}\n`);

await rm(schemas, { recursive: true, force: true });
await mkdir(schemas, { recursive: true });
for (const definition of allEvents) await write(join(schemas, `${contractName(definition)}.schema.json`), dataSchema(definition));
await write(join(schemas, 'asyncapi.json'), asyncApi(version, BUCKETS));
await write(join(root, 'docs/simulate/schemas/specification.schema.json'), specSchema());

if (process.argv.includes('--release')) {
  const released = join(root, 'libs/events/golden', version);
  await mkdir(released, { recursive: true });
  for (const definition of allEvents) {
    const schema = dataSchema(definition);
    await write(join(released, `${contractName(definition)}.json`), { schema, golden: [sampleOf(schema, false), sampleOf(schema, true)] });
  }
}
