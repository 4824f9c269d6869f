import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chown, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '@tierline/service/free-port';
import { endProcess, isRunning } from '@tierline/service/process-identity';
import { createTransport } from 'nodemailer';
import { dovecotProgram } from './dovecot-program.ts';
import { eventually } from './eventually.ts';
import { spawnRecorded } from './recorded-processes.ts';
import { testFolder } from './test-folder.ts';

const run = promisify(execFile);

/** Any user name logs in with it. */
const PASSWORD = 'secret';
const START_WITHIN_MS = 10_000;
const STOP_WITHIN_MS = 5_000;

/** A real mail server on 127.0.0.1 without TLS. A mailbox is made when it is first named, by a log-in or a delivery. */
export interface Dovecot {
  imapPort: number;
  lmtpPort: number;
  password: string;
  /** The maildirs of the users, by name. */
  mailDir: string;
  /** Delivers a mail, as it is, into the INBOX of a user by LMTP. */
  deliver(user: string, mail: string | Buffer): Promise<void>;
  /** Kills (-9) every IMAP session. Returns how many. */
  killImapProcesses(): Promise<number>;
  stop(): Promise<void>;
}

/** Starts a Dovecot of one's own. Throws MissingPartError. */
export async function dovecot(): Promise<Dovecot> {
  const program = await dovecotProgram();
  const dir = await testFolder('dovecot');
  const [imapPort, lmtpPort] = [await freePort(), await freePort()];
  const user = await serverAccount();
  await chown(dir, user.uid, user.gid);
  const config = join(dir, 'dovecot.conf');
  await writeFile(config, configuration({ dir, imapPort, lmtpPort, user: user.name, group: user.group }));

  const server = await spawnRecorded(program, ['-c', config, '-F'], { user, cwd: dir, logFile: join(dir, 'console.log') });
  const transport = createTransport({ host: '127.0.0.1', port: lmtpPort, lmtp: true, ignoreTLS: true, pool: true, maxConnections: 4 });
  async function stop(): Promise<void> {
    transport.close();
    await endProcess(server, 'SIGTERM', STOP_WITHIN_MS);
    await rm(dir, { recursive: true });
  }

  try {
    await eventually(() => isRunning(server) && greets(imapPort), { timeoutMs: START_WITHIN_MS, message: 'Dovecot answers' });
  } catch (error) {
    const said = await Promise.all(['console.log', 'dovecot.log'].map((name) => readFile(join(dir, name), 'utf8').catch(() => '')));
    await stop();
    throw new Error(`Dovecot did not start: ${said.join('')}`, { cause: error });
  }
  return {
    imapPort,
    lmtpPort,
    password: PASSWORD,
    mailDir: join(dir, 'mail'),
    stop,
    async deliver(to, mail) {
      await transport.sendMail({ envelope: { from: 'sender@example.org', to: [to] }, raw: mail });
    },
    async killImapProcesses() {
      const pids = await childrenOf(server.pid, 'imap');
      for (const pid of pids) process.kill(pid, 'SIGKILL');
      return pids.length;
    },
  };
}

interface Account {
  name: string;
  uid: number;
  group: string;
  gid: number;
}

/** Who runs the server: we, or nobody when we are root, as which Dovecot changes users for each session. */
async function serverAccount(): Promise<Account> {
  const of = process.getuid?.() === 0 ? ['nobody'] : [];
  const [name, uid, group, gid] = await Promise.all(['-un', '-u', '-gn', '-g'].map(async (what) => (await run('id', [what, ...of])).stdout.trim()));
  return { name: name!, uid: Number(uid), group: group!, gid: Number(gid) };
}

async function childrenOf(pid: number, name: string): Promise<number[]> {
  // pgrep ends with 1 when there are none.
  const { stdout } = await run('pgrep', ['-P', String(pid), '-x', name]).catch(() => ({ stdout: '' }));
  return stdout.split('\n').filter(Boolean).map(Number);
}

async function greets(imapPort: number): Promise<boolean> {
  const socket = connect(imapPort, '127.0.0.1');
  try {
    const [greeting] = (await once(socket, 'data')) as [Buffer];
    return greeting.toString().startsWith('* OK');
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** Dovecot 2.3 for one user without rights: sockets, mail and log below `dir`, whose path must be short (a socket's has 107 bytes). */
const configuration = ({ dir, imapPort, lmtpPort, user, group }: { dir: string; imapPort: number; lmtpPort: number; user: string; group: string }) => `
protocols = imap lmtp
listen = 127.0.0.1
base_dir = ${dir}/run
state_dir = ${dir}/state
log_path = ${dir}/dovecot.log
ssl = no
disable_plaintext_auth = no
default_internal_user = ${user}
default_internal_group = ${group}
default_login_user = ${user}
first_valid_uid = 1
mail_location = maildir:${dir}/mail/%u
mail_fsync = never
mail_max_userip_connections = 200
passdb {
  driver = static
  args = password=${PASSWORD}
}
userdb {
  driver = static
  args = uid=${user} gid=${group} home=${dir}/home/%u
}
namespace inbox {
  inbox = yes
  separator = /
}
service anvil {
  chroot =
}
service imap-login {
  chroot =
  inet_listener imap {
    port = ${imapPort}
  }
  inet_listener imaps {
    port = 0
  }
}
service lmtp {
  inet_listener lmtp {
    port = ${lmtpPort}
  }
}
`;
