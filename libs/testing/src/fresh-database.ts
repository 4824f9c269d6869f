import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { sharedPart } from './parts.ts';

/** An empty database of its own on the PostgreSQL of this test run. */
export interface FreshDatabase {
  url: string;
  /** Ends what is still connected, and removes it. */
  drop(): Promise<void>;
}

/** Makes a database in some 30 ms. The name is for whoever looks at the server; it need not be unique. */
export async function freshDatabase(name = 'test'): Promise<FreshDatabase> {
  const { url: serverUrl } = await sharedPart<{ url: string }>('postgres');
  const database = `${name.replace(/\W/g, '_').slice(0, 40)}_${randomBytes(6).toString('hex')}`;
  // Ten times as fast as by WAL on a server that does not sync.
  await execute(serverUrl, `CREATE DATABASE "${database}" STRATEGY file_copy`);
  const url = new URL(serverUrl);
  url.pathname = `/${database}`;
  return { url: url.href, drop: () => execute(serverUrl, `DROP DATABASE IF EXISTS "${database}" WITH (FORCE)`) };
}

async function execute(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(sql).finally(() => client.end());
}
