import { describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { freshDatabase } from './fresh-database.ts';

describe('freshDatabase', () => {
  it('gives every caller an empty database of its own', async () => {
    const [one, other] = await Promise.all([freshDatabase('one'), freshDatabase('one')]);
    expect(one.url).not.toBe(other.url);
    expect(await tables(one.url, 'CREATE TABLE mine ()')).toEqual(['mine']);
    expect(await tables(other.url)).toEqual([]);
    await Promise.all([one.drop(), other.drop()]);
  });

  it('drops a database that is still in use', async () => {
    const database = await freshDatabase();
    const client = new pg.Client({ connectionString: database.url });
    const cut = new Promise((resolve) => client.on('error', resolve));
    await client.connect();
    await database.drop();
    expect(await cut).toMatchObject({ message: expect.stringContaining('terminat') });
    await expect(tables(database.url)).rejects.toMatchObject({ code: '3D000' });
  });
});

async function tables(url: string, sql = ''): Promise<string[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(sql);
  const { rows } = await client.query<{ tablename: string }>(`SELECT tablename FROM pg_tables WHERE schemaname = 'public'`);
  await client.end();
  return rows.map(({ tablename }) => tablename);
}
