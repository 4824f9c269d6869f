import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { MissingPartError } from './missing-part.ts';

const run = promisify(execFile);

const PACKAGES = ['dovecot-imapd', 'dovecot-lmtpd'];
/** Where servers are that a user's PATH leaves out. */
const SERVER_FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/opt/homebrew/sbin'];
/** Another job on this machine may be installing something. */
const APT_LOCK_SECONDS = 120;

/** The path of Dovecot 2.3. In CI on Debian as root it is installed when it is not there. Throws MissingPartError. */
export async function dovecotProgram(): Promise<string> {
  const mayInstall = process.env['CI'] === 'true' && process.getuid?.() === 0 && existsSync('/etc/debian_version');
  if (!hasDovecot() && mayInstall) await install();
  const program = find('dovecot');
  // Without the LMTP service Dovecot refuses `protocols = lmtp`.
  if (!program || !hasDovecot()) throw new MissingPartError(`Dovecot is not installed: apt-get install -y ${PACKAGES.join(' ')}`);
  const { stdout: version } = await run(program, ['--version']);
  // 2.4 reads another language of configuration.
  if (!version.startsWith('2.3.')) throw new MissingPartError(`Dovecot 2.3 is needed, and ${version.trim()} is installed`);
  return program;
}

function hasDovecot(): boolean {
  return (
    find('dovecot') !== undefined &&
    ['imap', 'lmtp'].every((name) => ['/usr/lib/dovecot', '/usr/libexec/dovecot'].some((folder) => existsSync(join(folder, name))))
  );
}

function find(name: string): string | undefined {
  return [...(process.env['PATH'] ?? '').split(delimiter), ...SERVER_FOLDERS].map((folder) => join(folder, name)).find((path) => existsSync(path));
}

async function install(): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  // Fails while somebody else updates; the lists are then being brought up to date anyway.
  await run('apt-get', ['update'], { env }).catch(() => undefined);
  await run('apt-get', ['-o', `DPkg::Lock::Timeout=${APT_LOCK_SECONDS}`, 'install', '-y', ...PACKAGES], { env }).catch((error: Error) => {
    throw new MissingPartError(`Dovecot could not be installed: ${error.message}`);
  });
  // The package starts a server of its own, on the ports of a real one.
  await run('service', ['dovecot', 'stop']).catch(() => undefined);
}
