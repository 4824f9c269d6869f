import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freshDatabase } from '@tierline/testing';
import pg from 'pg';
import { textArray } from './text-array.ts';

describe('textArray', () => {
  let database: Awaited<ReturnType<typeof freshDatabase>>;
  let client: pg.Client;

  beforeAll(async () => {
    database = await freshDatabase('text_array');
    client = new pg.Client({ connectionString: database.url });
    await client.connect();
  });
  afterAll(async () => {
    await client.end();
    await database.drop();
  });

  it.each([[[]], [['a']], [['', '"quoted\\"', '{}', 'NULL', 'ü €😀', 'x'.repeat(100_000)]]])('arrives as it was sent: %j', async (values: string[]) => {
    const { rows } = await client.query<{ sent: string[] }>('SELECT $1::text[] AS sent', [textArray(values)]);
    expect(rows[0]!.sent).toEqual(values);
  });

  it('makes of a lone surrogate what a database can keep, as pg does', async () => {
    const { rows } = await client.query<{ same: boolean }>('SELECT $1::text[] = $2::text[] AS same', [textArray(['\ud800']), ['\ud800']]);
    expect(rows[0]!.same).toBe(true);
  });
});
