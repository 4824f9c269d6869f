import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Ajv } from 'ajv';
import { allEvents, eventDefinition } from './registry.ts';
import { asyncApi, contractName, dataSchema, sampleOf, type JsonSchema } from './contracts.ts';
import { breakingChanges } from './compatibility.ts';

const folder = join(import.meta.dirname, '..');
const read = (path: string): JsonSchema => JSON.parse(readFileSync(path, 'utf8')) as JsonSchema;

describe('the committed contracts', () => {
  it.each(allEvents.map((definition) => [contractName(definition), definition] as const))(
    '%s is what the schema says (else: npm run contracts)',
    (name, definition) => {
      expect(read(join(folder, 'schemas', `${name}.schema.json`))).toEqual(dataSchema(definition));
    },
  );

  it('describe the line as a valid AsyncAPI 3.0 document', () => {
    const document = read(join(folder, 'schemas/asyncapi.json'));
    expect(document).toEqual(asyncApi((document['info'] as { version: string }).version, 8));
    const ajv = new Ajv({ strict: false, validateFormats: false });
    const meta = createRequire(import.meta.url)('@asyncapi/specs/schemas/3.0.0-without-$id.json') as JsonSchema;
    const validate = ajv.compile(meta);
    expect(validate(document) ? [] : validate.errors).toEqual([]);
  });

  it.each(allEvents.map((definition) => [contractName(definition), definition] as const))('%s has samples that its own schema takes', (_, definition) => {
    const schema = dataSchema(definition);
    for (const full of [false, true]) expect(definition.schema.safeParse(sampleOf(schema, full)).error?.issues).toBeUndefined();
  });

  it('mark personal data', () => {
    const schema = read(join(folder, 'schemas/ticket.opened.v1.schema.json'));
    expect((schema['properties'] as Record<string, JsonSchema>)['subject']).toMatchObject({ pii: true });
  });
});

const releasesFolder = join(folder, 'golden');
const releases = existsSync(releasesFolder) ? readdirSync(releasesFolder) : [];

for (const release of releases) {
  describe(`release ${release}`, () => {
    it.each(readdirSync(join(releasesFolder, release)))('%s is still understood, and still understands', (file) => {
      const { schema, golden } = read(join(releasesFolder, release, file)) as { schema: JsonSchema; golden: unknown[] };
      const [, type, version] = /^(.+)\.v(\d+)\.json$/.exec(file)!;
      const definition = eventDefinition(type!, Number(version));
      expect(definition).toBeDefined();
      expect(breakingChanges(schema, dataSchema(definition!))).toEqual([]);
      for (const sample of golden) expect(definition!.schema.safeParse(sample).error?.issues).toBeUndefined();
    });
  });
}
