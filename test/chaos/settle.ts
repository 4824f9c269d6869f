import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { logSchemas } from './read-effects.ts';

const LOOK_EVERY_MS = 300;
/** What nobody has begun yet is seen at the second look. */
const QUIET_LOOKS = 3;
/** Timers that fire later than this are not waited for: they close tickets after days. */
const TIMERS_WITHIN_MS = 60_000;

/** Waits until nothing is on its way any more, and says what still is when that takes too long. */
export async function settle(databaseUrl: () => string, withinMs: number): Promise<string[]> {
  const deadline = performance.now() + withinMs;
  for (let quiet = 0, pending: string[] = []; ;) {
    pending = await look(databaseUrl()).catch((error: Error) => [error.message]);
    quiet = pending.length === 0 ? quiet + 1 : 0;
    if (quiet === QUIET_LOOKS || performance.now() > deadline) return pending;
    await sleep(LOOK_EVERY_MS);
  }
}

async function look(databaseUrl: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const logs = await logSchemas(client);
    const channels = await schemasWith(client, 'inbound');
    const queries = [
      ...logs.flatMap((log) => [
        ...logs.map((reader) => behind(log, reader)),
        `SELECT count(*), 'events of ${log} failed and wait' AS what FROM "${log}".retry_event WHERE state = 'waiting'`,
        `SELECT count(*), 'timers of ${log}' AS what FROM "${log}".timer WHERE due_at < now() + ${TIMERS_WITHIN_MS} * interval '1 ms'`,
      ]),
      ...channels.flatMap((channel) => [
        `SELECT count(*), 'payloads of ${channel} not parsed' AS what FROM "${channel}".inbound WHERE state = 'received'`,
        `SELECT count(*), 'messages of ${channel} not sent' AS what FROM "${channel}".outbound WHERE state IN ('queued', 'sending')`,
      ]),
    ];
    const { rows } = await client.query<{ count: string; what: string }>(queries.join(' UNION ALL '));
    return rows.filter(({ count }) => Number(count) > 0).map(({ count, what }) => `${count} ${what}`);
  } finally {
    await client.end();
  }
}

/** How many events of a log the groups beside another log (or the same) have not handled. A group that has handled any event of a topic handles all of them. */
const behind = (log: string, reader: string): string => `
  SELECT coalesce(sum(h.next - 1 - coalesce(p.pos, 0)), 0) AS count, 'events of ${log} not handled by the groups of ${reader}' AS what
  FROM (SELECT DISTINCT grp, topic FROM "${reader}".consumer_position) s
  JOIN "${log}".log_head h USING (topic)
  LEFT JOIN "${reader}".consumer_position p ON p.grp = s.grp AND p.source = '${log}' AND p.topic = h.topic AND p.bucket = h.bucket
  WHERE h.next - 1 > coalesce(p.pos, 0)`;

async function schemasWith(client: pg.Client, table: string): Promise<string[]> {
  const { rows } = await client.query<{ schema: string }>(`SELECT table_schema AS schema FROM information_schema.tables WHERE table_name = $1`, [table]);
  return rows.map(({ schema }) => schema);
}
