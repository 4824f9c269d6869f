import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chown, mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { PostgresError } from './embedded-postgres-errors.ts';
import { freePort } from './free-port.ts';
import { LockedError, lockFile } from './lock-file.ts';
import { commandAs, postgresBinaries, serverUser } from './postgres-binaries.ts';
import type { Command, PostgresBinaries, ServerUser } from './postgres-binaries.ts';
import { endProcess, identifyProcess, isRunning, signalProcess } from './process-identity.ts';
import type { ProcessIdentity } from './process-identity.ts';

const run = promisify(execFile);

const SETTINGS: Record<string, string> = {
  listen_addresses: '127.0.0.1',
  // No socket file in /tmp, which another user's server may hold.
  unix_socket_directories: '',
  max_connections: '100',
  shared_buffers: '256MB',
  // Bounds crash recovery: 25 s of WAL to replay with 4 GB, 1.5 s with this.
  max_wal_size: '512MB',
  checkpoint_timeout: '5min',
  wal_compression: 'on',
  // Statements here are short: compiling one costs more than it saves.
  jit: 'off',
  // The statement and the DETAIL of an error repeat rows, and with them personal data.
  log_error_verbosity: 'terse',
  log_min_error_statement: 'panic',
};

/** The role and the database; initdb makes the first, the first start the second. */
const NAME = 'tierline';

/** A server found running that does not answer within this is replaced. */
const HEALTHY_WITHIN_MS = 5_000;
/** Recovery of 512 MB of WAL on a slow disk takes half a minute. */
const START_WITHIN_MS = 120_000;
/** A fast shutdown writes a checkpoint; after this the server is killed, and recovers at its next start. */
const STOP_WITHIN_MS = 30_000;
const WATCH_EVERY_MS = 200;
/** Whatever keeps it from starting (a full disk) lasts. */
const RETRY_EVERY_MS = 2_000;
const POLL_EVERY_MS = 10;
const LOG_MAX_BYTES = 10 * 1024 * 1024;

/** Where the embedded PostgreSQL lives and what it listens on. */
export interface PostgresOptions {
  /** A folder of its own: the cluster, its password, log and lock. Made when it is not there. */
  dataDir: string;
  /** Port on 127.0.0.1; a free one without it. */
  port?: number;
  /** Server settings over ours. */
  settings?: Record<string, string>;
}

/** A running PostgreSQL that belongs to this process. */
export interface EmbeddedPostgres {
  url: string;
  /** True when the server of an earlier process (kill -9) was taken over. */
  adopted: boolean;
  /** Fast shutdown, which cuts open connections: call it last, when the pools are closed. */
  stop(): Promise<void>;
}

interface Cluster {
  path: string;
  logFile: string;
  password: string;
  user: ServerUser;
  binaries: PostgresBinaries;
  settings: Record<string, string>;
}

interface Server {
  process: ProcessIdentity;
  port: number;
}

/**
 * Starts PostgreSQL from the npm binaries, or takes over the server that an earlier process left in this folder.
 * Until `stop()`, a server that dies is started again on the same port. Throws PostgresError.
 */
export async function startPostgres({ dataDir, port, settings }: PostgresOptions): Promise<EmbeddedPostgres> {
  const dir = resolve(dataDir);
  await mkdir(dir, { recursive: true });
  const unlock = await lockDir(dir);
  try {
    const cluster = await openCluster(dir, { ...SETTINGS, ...settings });
    const found = await adopt(cluster);
    let server = found ?? (await launch(cluster, port));
    const { port: listening } = server;

    const ending = new AbortController();
    const supervised = (async () => {
      while (!ending.signal.aborted) {
        await pause(WATCH_EVERY_MS, ending.signal);
        if (ending.signal.aborted || isRunning(server.process)) continue;
        process.emitWarning(`PostgreSQL in ${dir} died and is started again`, { code: 'POSTGRES_RESTARTED' });
        server = await launch(cluster, listening).catch(async (error: Error) => {
          process.emitWarning(error);
          await pause(RETRY_EVERY_MS, ending.signal);
          return server;
        });
      }
    })();
    // Whoever leaves without stop() (process.exit, an uncaught error) does not leave the server behind.
    const leave = () => signalProcess(server.process, 'SIGINT');
    process.once('exit', leave);

    return {
      url: urlOf(cluster, listening),
      adopted: found !== null,
      async stop() {
        ending.abort();
        await supervised;
        process.off('exit', leave);
        await endProcess(server.process, 'SIGINT', STOP_WITHIN_MS);
        await unlock();
      },
    };
  } catch (error) {
    await unlock();
    throw error;
  }
}

async function lockDir(dir: string): Promise<() => Promise<void>> {
  try {
    return await lockFile(join(dir, 'lock'));
  } catch (error) {
    if (!(error instanceof LockedError)) throw error;
    throw new PostgresError(
      'POSTGRES_IN_USE',
      `the data in ${dir} is in use by process ${error.pid}: end it, choose another folder, or set DATABASE_URL`,
      error,
    );
  }
}

async function openCluster(dir: string, settings: Record<string, string>): Promise<Cluster> {
  const binaries = await postgresBinaries();
  const path = join(dir, 'cluster');
  const passwordFile = join(dir, 'password');
  if (!existsSync(path)) await initialise(binaries, path, passwordFile);
  const user = await ownerOf(path);
  const written = (await readFile(join(path, 'PG_VERSION'), 'utf8')).trim();
  if (written !== binaries.major) {
    throw new PostgresError(
      'POSTGRES_OTHER_MAJOR',
      `the data in ${path} is of PostgreSQL ${written}, and this is ${binaries.major}; nothing was changed. To upgrade, start the version of Tierline that ` +
        `wrote it, save it with pg_dump, move the folder away, start this version and load the dump with psql`,
    );
  }
  const logFile = join(dir, 'postgres.log');
  if (existsSync(logFile) && (await stat(logFile)).size > LOG_MAX_BYTES) await rename(logFile, `${logFile}.1`);
  return { path, logFile, password: await readFile(passwordFile, 'utf8'), user, binaries, settings };
}

/** Builds the cluster beside its place, so that an interrupted start leaves nothing half made. */
async function initialise(binaries: PostgresBinaries, path: string, passwordFile: string): Promise<void> {
  const user = await serverUser();
  const unfinished = `${path}.new`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { mode: 0o700 });
  await writeFile(passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600 });
  if (user) for (const owned of [unfinished, passwordFile]) await chown(owned, user.uid, user.gid);
  const args = [
    ...['-D', unfinished, '-U', NAME, '-A', 'scram-sha-256', `--pwfile=${passwordFile}`],
    // The same order of text on every machine, whatever its locales.
    ...['-E', 'UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'],
    // One sync of the file system instead of a thousand of files: 3 s on a disk with 3 ms a sync.
    ...(process.platform === 'linux' ? ['--sync-method=syncfs'] : []),
  ];
  const command = await commandAs(user, binaries.initdb, args, [unfinished]);
  await run(command.file, command.args, { ...command.ids, cwd: '/', env: serverEnv() }).catch((error: Error) => {
    throw notStarted('initdb failed', error.message, command);
  });
  await rename(unfinished, path);
  const folder = await open(dirname(path));
  await folder.sync();
  await folder.close();
}

/** PostgreSQL wants to run as the owner of the cluster, who may have changed with whoever starts us. */
async function ownerOf(path: string): Promise<ServerUser> {
  const { uid, gid } = await stat(path);
  if (process.getuid?.() !== 0) {
    if (uid === process.getuid?.()) return null;
    throw new PostgresError('POSTGRES_CLOSED_FOLDER', `${path} belongs to user ${uid}: start as that user, or give the folder to yours`);
  }
  if (uid !== 0) return { uid, gid };
  const user = await serverUser();
  if (user) await run('chown', ['-R', `${user.uid}:${user.gid}`, path]);
  return user;
}

/** Takes over a server that runs on this cluster and answers; one that does not answer is killed. */
async function adopt(cluster: Cluster): Promise<Server | null> {
  const left = await readPostmasterFile(cluster);
  const found = left && identifyProcess(left.pid);
  if (!found) return null;
  // Another process may have its number, as in a restarted container.
  if (!(await commandLine(left.pid)).includes(cluster.path)) return null;
  const server = { process: found, port: left.port };
  if (left.status === 'stopping') await endProcess(found, 'SIGINT', STOP_WITHIN_MS);
  else if ((await becomesReady(cluster, server, START_WITHIN_MS)) && (await answers(cluster, server.port, HEALTHY_WITHIN_MS))) return server;
  await endProcess(found, 'SIGKILL', STOP_WITHIN_MS);
  return null;
}

async function launch(cluster: Cluster, port: number | undefined): Promise<Server> {
  for (let deadline = Date.now() + START_WITHIN_MS; ;) {
    const attempt = await tryLaunch(cluster, port ?? (await freePort()));
    if ('process' in attempt) return attempt;
    const taken = port === undefined && attempt.said.includes('Address already in use');
    // Its backends outlive a killed server for a moment.
    const lingers = attempt.said.includes('shared memory block');
    if (Date.now() > deadline || !(taken || lingers)) throw notStarted(`PostgreSQL did not start, see ${cluster.logFile}`, attempt.said, attempt.command);
    await sleep(100);
  }
}

/** Called when no server runs on the cluster. */
async function tryLaunch(cluster: Cluster, port: number): Promise<Server | { said: string; command: Command }> {
  const settings = Object.entries(cluster.settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const command = await commandAs(cluster.user, cluster.binaries.postgres, ['-D', cluster.path, '-p', String(port), ...settings], [cluster.path]);
  // PostgreSQL would refuse to start next to a dead server that nobody has reaped, or to a process with its number.
  // Backends that still live are found without this file: by the shared memory of the folder's inode (PGSharedMemoryCreate).
  await rm(join(cluster.path, 'postmaster.pid'), { force: true });
  const log = await open(cluster.logFile, 'a+');
  const { size } = await log.stat();
  try {
    // Detached: Ctrl-C in the terminal is for us, who end the server after our own work.
    const child = spawn(command.file, command.args, { ...command.ids, cwd: '/', env: serverEnv(), detached: true, stdio: ['ignore', log.fd, log.fd] });
    child.unref();
    const failure = await new Promise<Error | null>((settle) => child.once('spawn', () => settle(null)).once('error', settle));
    if (failure) return { said: failure.message, command };
    const server = { process: identifyProcess(child.pid!) ?? { pid: child.pid!, startTicks: null }, port };
    if ((await becomesReady(cluster, server, START_WITHIN_MS)) && (await answers(cluster, port, START_WITHIN_MS))) return server;
    await endProcess(server.process, 'SIGKILL', STOP_WITHIN_MS);
    const { buffer, bytesRead } = await log.read({ position: size });
    return { said: buffer.toString('utf8', 0, bytesRead), command };
  } finally {
    await log.close();
  }
}

async function becomesReady(cluster: Cluster, server: Server, withinMs: number): Promise<boolean> {
  for (const deadline = Date.now() + withinMs; Date.now() < deadline; await sleep(POLL_EVERY_MS)) {
    const file = await readPostmasterFile(cluster);
    if (file?.pid === server.process.pid && file.status === 'ready') return true;
    if (!isRunning(server.process)) return false;
  }
  return false;
}

/** Whether the server answers a query in our database, which the first call makes. */
async function answers(cluster: Cluster, port: number, withinMs: number): Promise<boolean> {
  try {
    await query(urlOf(cluster, port), 'SELECT 1', withinMs).catch(async (error: Error & { code?: string }) => {
      if (error.code !== '3D000') throw error; // invalid_catalog_name
      await query(urlOf(cluster, port, 'postgres'), `CREATE DATABASE ${NAME}`, withinMs);
    });
    return true;
  } catch {
    return false;
  }
}

async function query(url: string, sql: string, withinMs: number): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: withinMs, query_timeout: withinMs });
  // A server that ends under us fails the query; the event alone would end the process.
  client.on('error', () => undefined);
  await client.connect();
  await client.query(sql).finally(() => client.end());
}

/** The lines of postmaster.pid that matter (src/include/utils/pidfile.h); null when no server was left. */
async function readPostmasterFile(cluster: Cluster): Promise<{ pid: number; port: number; status: string } | null> {
  const text = await readFile(join(cluster.path, 'postmaster.pid'), 'utf8').catch(() => null);
  if (text === null) return null;
  const lines = text.split('\n');
  return { pid: Number(lines[0]), port: Number(lines[3]), status: lines[7]?.trim() ?? 'starting' };
}

async function commandLine(pid: number): Promise<string> {
  // Where there is no /proc.
  const ps = () =>
    run('ps', ['-o', 'command=', '-p', String(pid)]).then(
      ({ stdout }) => stdout,
      () => '',
    );
  return readFile(`/proc/${pid}/cmdline`, 'utf8').catch(ps);
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { ref: false, signal }).catch(() => undefined);
}

function urlOf({ password }: Cluster, port: number, database = NAME): string {
  return `postgres://${NAME}:${password}@127.0.0.1:${port}/${database}`;
}

/** Nothing of ours (PGPORT, PGDATA, locales) leaks into the server. */
function serverEnv(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' };
}

function notStarted(what: string, said: string, { closedFolder }: Command): PostgresError {
  // What setpriv says where it is missing or may not give the capability.
  const isClosed = closedFolder !== null && /setpriv|Permission denied/.test(said);
  const hint = isClosed ? ` (its user cannot pass ${closedFolder}: "chmod o+x ${closedFolder}", move the checkout, or set DATABASE_URL)` : '';
  return new PostgresError(isClosed ? 'POSTGRES_CLOSED_FOLDER' : 'POSTGRES_NOT_STARTED', `${what}${hint}: ${said.trim()}`);
}
