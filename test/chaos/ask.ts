import pg from 'pg';

const ANSWER_WITHIN_MS = 2_000;

/** Asks a database that may be going down, on a connection of its own. */
export async function ask<Row extends object>(databaseUrl: string, sql: string, values: unknown[] = []): Promise<Row[]> {
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: ANSWER_WITHIN_MS, query_timeout: ANSWER_WITHIN_MS });
  // What ends a connection that nobody is asking would end us too.
  client.on('error', () => undefined);
  await client.connect();
  return (await client.query<Row>(sql, values).finally(() => client.end())).rows;
}
