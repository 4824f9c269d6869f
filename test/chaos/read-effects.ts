import { topics } from '@tierline/events';
import pg from 'pg';
import type { Audit, LoggedEvent, Offer } from './audit.ts';

const PAGE = 5_000;

interface Row {
  bucket: number;
  pos: number;
  event_id: string;
  key: string;
  type: string;
  at: number;
  payload: string;
}

/** Reads everything that the installation has written into the audit: the logs, and the tables that a customer or an agent would be shown. Returns the database's time. */
export async function readEffects(audit: Audit, databaseUrl: string): Promise<number> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    // All of it as of one moment.
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const logs = await logSchemas(client);
    for (const topic of topics) for (const log of logs) await readTopic(audit, client, log, topic);
    for (const log of logs) await readLog(audit, client, log);
    await readTables(audit, client);
    const { rows } = await client.query<{ now: Date }>('SELECT now()');
    return rows[0]!.now.getTime();
  } finally {
    await client.end();
  }
}

/** The schemas that hold a log: one, or one of each service. */
export async function logSchemas(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ log: string }>(`SELECT table_schema AS log FROM information_schema.tables WHERE table_name = 'event_log' ORDER BY 1`);
  return rows.map(({ log }) => log);
}

async function readTopic(audit: Audit, client: pg.Client, log: string, topic: string): Promise<void> {
  for (let after = { bucket: -1, pos: 0 }; ;) {
    const { rows } = await client.query<Row>(
      `SELECT bucket, pos::float8, event_id, key, type, (extract(epoch FROM appended_at) * 1000)::float8 AS at, payload FROM "${log}".event_log
       WHERE topic = $1 AND (bucket, pos) > ($2, $3) ORDER BY bucket, pos LIMIT ${PAGE}`,
      [topic, after.bucket, after.pos],
    );
    for (const { bucket, pos, event_id: id, key, type, at, payload } of rows) {
      const { data, causationid: causationId } = JSON.parse(payload) as { data: unknown; causationid?: string };
      audit.event({ log, topic, bucket, pos, id, key, type, at, causationId, data } as LoggedEvent);
    }
    const last = rows.at(-1);
    if (!last || rows.length < PAGE) return;
    after = last;
  }
}

/** What a log says about itself: how far it goes, what stands in it twice, what could not be handled, what should have fired. */
async function readLog(audit: Audit, client: pg.Client, log: string): Promise<void> {
  const heads = await client.query<{ topic: string; bucket: number; last: number }>(`SELECT topic, bucket, (next - 1)::float8 AS last FROM "${log}".log_head`);
  for (const head of heads.rows) if ((topics as readonly string[]).includes(head.topic)) audit.head({ log, ...head });
  const twice = await client.query<{ event_id: string; types: string }>(
    `SELECT event_id, string_agg(type, ', ') AS types FROM "${log}".event_log GROUP BY event_id HAVING count(*) > 1`,
  );
  for (const row of twice.rows) audit.find('doubled', `event ${row.event_id} (${row.types}) stands in ${log} more than once`);
  const failed = await client.query<{ grp: string; type: string; key: string; state: string; error_message: string | null }>(
    `SELECT grp, type, key, state, error_message FROM "${log}".retry_event`,
  );
  for (const row of failed.rows) audit.find('lost', `group ${row.grp} has not handled ${row.type} of ${row.key} (${row.state}): ${row.error_message}`);
  const overdue = await client.query<{ name: string }>(`SELECT name FROM "${log}".timer WHERE due_at < now() - interval '5 s'`);
  for (const row of overdue.rows) audit.find('timersLost', `timer ${row.name} of ${log} has not fired`);
}

/**
 * What several services keep of a ticket has to be the same when all is quiet: a difference is an event that one of them has not handled, or not in order.
 * Each gives the ticket, and who says what.
 */
const AGREEMENTS: Readonly<Record<string, string>> = {
  'who has it': `
    SELECT t.id, ARRAY['tickets ' || t.assignee, 'routing ' || w.agent_id, 'escalation ' || a.agent_id, 'notify ' || n.assignee_id] AS said
    FROM tickets.ticket t LEFT JOIN routing.work w ON w.ticket_id = t.id AND NOT w.is_offered
    LEFT JOIN escalation.assignment a ON a.ticket_id = t.id LEFT JOIN notify.ticket n ON n.ticket_id = t.id
    WHERE (t.assignee, t.assignee, t.assignee) IS DISTINCT FROM (w.agent_id, a.agent_id, n.assignee_id)`,
  'its status': `
    SELECT t.id, ARRAY['tickets ' || t.status, 'escalation ' || e.status, 'portal ' || p.status, 'routing ' || CASE WHEN r.is_open THEN 'open' ELSE 'done' END] AS said
    FROM tickets.ticket t LEFT JOIN escalation.ticket e ON e.ticket_id = t.id LEFT JOIN portal.ticket p ON p.ticket_id = t.id
    LEFT JOIN routing.triaged_ticket r ON r.ticket_id = t.id
    WHERE (t.status, t.status, t.status IN ('solved', 'closed')) IS DISTINCT FROM (e.status, coalesce(p.status, t.status), NOT r.is_open)`,
  'its tier': `
    SELECT t.id, ARRAY['tickets ' || t.tier, 'escalation ' || e.tier, 'routing ' || (r.queued->>'tier')] AS said
    FROM tickets.ticket t LEFT JOIN escalation.ticket e ON e.ticket_id = t.id LEFT JOIN routing.triaged_ticket r ON r.ticket_id = t.id
    WHERE r.is_open AND (t.tier, t.tier) IS DISTINCT FROM (e.tier, (r.queued->>'tier')::smallint)`,
};

async function readTables(audit: Audit, client: pg.Client): Promise<void> {
  const messages = await client.query<{ id: string; ticketId: string | null; text: string | null }>(
    `SELECT id, ticket_id AS "ticketId", coalesce(text, subject) AS text FROM tickets.message WHERE by_kind = 'customer' ORDER BY at, seq`,
  );
  for (const message of messages.rows) audit.message(message);
  const offers = await client.query<{ ticket: string; offers: Offer[] }>(
    // Offers are made at whole milliseconds. One that was taken back in the batch that made it comes first.
    `SELECT ticket_id AS ticket, json_agg(json_build_object('agentId', agent_id, 'offeredAt', extract(epoch FROM offered_at) * 1000,
       'endedAt', extract(epoch FROM date_trunc('milliseconds', ended_at)) * 1000) ORDER BY offered_at, ended_at) AS offers FROM routing.offer GROUP BY ticket_id`,
  );
  for (const { ticket, offers: made } of offers.rows) audit.offers(ticket, made);
  for (const [what, sql] of Object.entries(AGREEMENTS)) {
    const { rows } = await client.query<{ id: string; said: (string | null)[] }>(sql);
    for (const { id, said } of rows) audit.find('lost', `of ticket ${id} there are several opinions about ${what}: ${said.filter((one) => one).join(', ')}`);
  }
}
