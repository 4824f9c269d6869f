import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { drawReport } from './draw-report.ts';
import { replicate } from './replicate.ts';
import { reportOf } from './report.ts';
import { readSpec, specSchema } from './spec.ts';

const folder = join(import.meta.dirname, '../../../../docs/simulate');
const examples = readdirSync(folder).filter((file) => file.endsWith('.json'));
const read = (file: string): unknown => JSON.parse(readFileSync(join(folder, file), 'utf8'));

describe('docs/simulate', () => {
  it('has the schema as it is; if not, `npm run contracts` writes it', () => {
    expect(read('schemas/specification.schema.json')).toEqual(JSON.parse(JSON.stringify(specSchema())));
  });

  it.each(examples)('%s fits the schema, can be simulated and drawn', (file) => {
    const written = read(file);
    const fits = new Ajv2020().compile(specSchema());
    fits(written);
    expect(fits.errors).toBeNull();
    const spec = { ...readSpec(written), replications: 2, warmUp: { contacts: 50 }, length: { contacts: 300 } };
    const outcomes = [replicate(spec, 0), replicate(spec, 1)];
    const drawn = drawReport(reportOf(spec, outcomes));
    expect(drawn).toContain(spec.name);
    for (const { name } of [...spec.types, ...spec.agents]) expect(drawn).toContain(name);
    expect(drawn).not.toContain('NaN');
  });
});
