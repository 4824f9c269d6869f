import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { Logger } from '@nestjs/common';
import { newId, TokenIssued, type DataOf, type Event, type EventDefinition, type Role, type Topic } from '@tierline/events';
import { decodeEvent, EventLog } from '@tierline/log';
import { loadConfig, processConfig, sha256, startProcess, type RunningProcess, type ServiceDefinition } from '@tierline/service';
import { eventually } from './eventually.ts';
import { freshDatabase, type FreshDatabase } from './fresh-database.ts';
import { testFolder } from './test-folder.ts';

/** What an HTTP request was answered. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a test that looks into the body says what it expects there
export interface Answer<Body = any> {
  status: number;
  headers: Headers;
  /** The JSON, or the text when it is not JSON; null when there is none. */
  body: Body;
}

/** Services that run for a test, on a database of their own. */
export interface RunningServices extends RunningProcess {
  readonly log: EventLog;
  readonly adminToken: string;
  /** Asks the process over HTTP. As the administrator, unless another token is given; `null` sends none. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as above
  request<Body = any>(method: string, path: string, body?: unknown, token?: string | null, headers?: Record<string, string>): Promise<Answer<Body>>;
  /** A token of somebody with these roles, once the guard knows it. */
  tokenFor(subject: string, ...roles: Role[]): Promise<string>;
  /** Every event in the log, or those of a topic: in order per key. */
  events(topic?: Topic): Promise<Event[]>;
  /** Appends one event, as another service would. Returns its id. */
  append<D extends EventDefinition>(definition: D, key: string, data: DataOf<D>): Promise<string>;
}

/**
 * Runs services in one process as `startProcess` does, with every appended event checked against its schema.
 * A test that starts them again passes the database, and drops it itself.
 */
export async function runServices(
  services: readonly ServiceDefinition[],
  { env = {}, database }: { env?: NodeJS.ProcessEnv; database?: FreshDatabase } = {},
): Promise<RunningServices> {
  Logger.overrideLogger(['warn', 'error', 'fatal']);
  const own = database ?? (await freshDatabase(services.map(({ name }) => name).join('_')));
  const dataDir = await testFolder('data');
  const adminToken = randomBytes(32).toString('base64url');
  const config = loadConfig(processConfig, {
    PORT: '0',
    TIERLINE_DATA: dataDir,
    TIERLINE_ADMIN_TOKEN: adminToken,
    TIERLINE_SECRET: randomBytes(32).toString('base64url'),
    TIERLINE_CHECK_EVENTS: 'true',
    ...env,
  });
  const running = await startProcess(services, { ...config, DATABASE_URL: own.url });
  const log = running.app.get(EventLog);

  const request = async <Body>(
    method: string,
    path: string,
    body?: unknown,
    token: string | null = adminToken,
    headers: Record<string, string> = {},
  ): Promise<Answer<Body>> => {
    const response = await fetch(new URL(path, running.url), {
      method,
      headers: { ...(token !== null && { authorization: `Bearer ${token}` }), ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, headers: response.headers, body: (text === '' ? null : isJson ? JSON.parse(text) : text) as Body };
  };

  const append: RunningServices['append'] = (definition, key, data) => log.transaction('test', async (tx) => tx.append(definition, key, data));

  return {
    ...running,
    log,
    adminToken: config.TIERLINE_ADMIN_TOKEN!,
    request,
    append,
    async tokenFor(subject, ...roles) {
      const token = randomBytes(32).toString('base64url');
      const tokenId = newId();
      await append(TokenIssued, tokenId, { tokenId, sha256: sha256(token), subject, roles });
      await eventually(async () => {
        const known = await log.dataSource.query<unknown[]>(`SELECT 1 FROM ${log.schema}.access_token WHERE token_id = $1`, [tokenId]);
        return known.length === 1;
      });
      return token;
    },
    async events(topic) {
      const rows = await log.dataSource.query<{ payload: string }[]>(
        `SELECT payload FROM ${log.schema}.event_log WHERE $1::text IS NULL OR topic = $1 ORDER BY topic, bucket, pos`,
        [topic ?? null],
      );
      return rows.flatMap(({ payload }) => decodeEvent(payload) ?? []);
    },
    async stop() {
      await running.stop();
      if (!database) await own.drop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
