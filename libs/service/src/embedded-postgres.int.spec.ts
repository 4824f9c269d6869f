import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually, testFolder } from '@tierline/testing';
import pg from 'pg';
import { startPostgres } from './embedded-postgres.ts';

const TYPESCRIPT = new URL('../../../tools/ts.mjs', import.meta.url).href;
const EMBEDDED_POSTGRES = new URL('./embedded-postgres.ts', import.meta.url).href;

describe('embedded PostgreSQL', () => {
  let root: string;
  let dataDir: string;

  beforeAll(async () => {
    root = await testFolder('postgres');
    // What an interrupted initdb leaves.
    await mkdir(join(root, 'made/cluster.new/base'), { recursive: true });
    const postgres = await startPostgres({ dataDir: join(root, 'made') });
    await query(postgres.url, `CREATE TABLE kept AS SELECT 'yes' AS answer`);
    await postgres.stop();
  });
  afterAll(() => rm(root, { recursive: true }));
  beforeEach(async () => {
    dataDir = await mkdtemp(join(root, 'copy-'));
    await cp(join(root, 'made'), dataDir, { recursive: true });
  });

  it('continues where it stopped', async () => {
    const postgres = await startPostgres({ dataDir });
    expect(postgres.adopted).toBe(false);
    expect(await query(postgres.url, 'SELECT answer FROM kept')).toEqual([{ answer: 'yes' }]);
    await postgres.stop();
    await expect(query(postgres.url, 'SELECT 1')).rejects.toThrow('ECONNREFUSED');
  });

  it('keeps commits through a crash of the machine, and its password to itself', async () => {
    const postgres = await startPostgres({ dataDir });
    const settings = await query(
      postgres.url,
      `SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit', 'listen_addresses')`,
    );
    expect(Object.fromEntries(settings.map(({ name, setting }) => [name, setting]))).toEqual({
      fsync: 'on',
      full_page_writes: 'on',
      synchronous_commit: 'on',
      listen_addresses: '127.0.0.1',
    });
    expect((await stat(join(dataDir, 'password'))).mode & 0o777).toBe(0o600);
    await expect(query(postgres.url.replace(/:[^:@]+@/, ':guess@'), 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
    await postgres.stop();
  });

  it('is refused to a second process, by name of the first', async () => {
    const postgres = await startPostgres({ dataDir });
    await expect(startPostgres({ dataDir })).rejects.toMatchObject({ code: 'POSTGRES_IN_USE', message: expect.stringContaining(`process ${process.pid}`) });
    await postgres.stop();
  });

  it('takes over the server of a process that was killed', async () => {
    const url = await startAndDie(dataDir);
    const postgres = await startPostgres({ dataDir });
    expect(postgres).toMatchObject({ adopted: true, url });
    expect(await query(url, 'SELECT answer FROM kept')).toEqual([{ answer: 'yes' }]);
    await postgres.stop();
    await expect(query(url, 'SELECT 1')).rejects.toThrow('ECONNREFUSED');
  });

  it('replaces the server of a killed process when it does not answer', async () => {
    await startAndDie(dataDir);
    process.kill(await postmaster(dataDir), 'SIGSTOP');
    const postgres = await startPostgres({ dataDir });
    expect(postgres.adopted).toBe(false);
    expect(await query(postgres.url, 'SELECT answer FROM kept')).toEqual([{ answer: 'yes' }]);
    await postgres.stop();
  });

  it('starts again, at the same address, a server that is killed', async () => {
    const postgres = await startPostgres({ dataDir });
    const killed = await postmaster(dataDir);
    process.kill(killed, 'SIGKILL');
    await eventually(async () => {
      expect(await query(postgres.url, 'SELECT answer FROM kept')).toEqual([{ answer: 'yes' }]);
      expect(await postmaster(dataDir)).not.toBe(killed);
    });
    await postgres.stop();
  });

  it('leaves the data of another major version alone', async () => {
    await writeFile(join(dataDir, 'cluster/PG_VERSION'), '17\n');
    await expect(startPostgres({ dataDir })).rejects.toMatchObject({ code: 'POSTGRES_OTHER_MAJOR', message: expect.stringContaining('pg_dump') });
    expect(await readFile(join(dataDir, 'cluster/PG_VERSION'), 'utf8')).toBe('17\n');
  });

  it('starts in the place of a server whose process number another process has', async () => {
    await writeFile(join(dataDir, 'cluster/postmaster.pid'), `${process.pid}\n/elsewhere\n0\n1\n\n127.0.0.1\n\nready\n`);
    const postgres = await startPostgres({ dataDir });
    expect(postgres.adopted).toBe(false);
    await postgres.stop();
  });

  it('says why it does not start', async () => {
    await expect(startPostgres({ dataDir, settings: { shared_buffers: 'much' } })).rejects.toMatchObject({
      code: 'POSTGRES_NOT_STARTED',
      message: expect.stringContaining('invalid value for parameter "shared_buffers"'),
    });
    // And leaves nothing that is in the way of the next start.
    await (await startPostgres({ dataDir })).stop();
  });
});

/** Starts the server from a process of its own, which is then killed with -9. Gives the address. */
async function startAndDie(dataDir: string): Promise<string> {
  const program = `const { startPostgres } = await import('${EMBEDDED_POSTGRES}'); console.log((await startPostgres({ dataDir: process.argv[1] })).url)`;
  const starter = spawn(process.execPath, ['--import', TYPESCRIPT, '--input-type=module', '-e', `${program}; setInterval(() => {}, 1000)`, dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [url] = (await once(starter.stdout, 'data')) as [Buffer];
  starter.kill('SIGKILL');
  await once(starter, 'exit');
  return url.toString().trim();
}

async function postmaster(dataDir: string): Promise<number> {
  return Number((await readFile(join(dataDir, 'cluster/postmaster.pid'), 'utf8')).split('\n')[0]);
}

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client
    .query<Record<string, unknown>>(sql)
    .then(({ rows }) => rows)
    .finally(() => client.end());
}
