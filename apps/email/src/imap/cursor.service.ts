import type { Receipt } from '@tierline/channel';
import type { EventLog, LogTransaction } from '@tierline/log';
import { beginning, beginningAgain, type Cursor, type OpenedFolder } from './cursor.ts';

/** A folder of a mailbox at one UIDVALIDITY. */
export interface Folder {
  readonly accountRef: string;
  readonly path: string;
}

interface Row {
  uidvalidity: string;
  last_uid: string;
  backlog_until: string;
  backlog_since: string | null;
  newest: Date | null;
  seen_at: Date;
}

/** What the sweep looks back on, and longer than that, what it compares with. */
export const SWEEP_DAYS = 3;
const KEEP_DAYS = 7;

/** The cursor of an opened folder; begun if there is none. `reset` when the folder was known under another UIDVALIDITY. */
export async function loadCursor(
  log: EventLog,
  folder: Folder,
  opened: OpenedFolder,
  importSince: string | undefined,
): Promise<{ cursor: Cursor; reset: boolean }> {
  return log.transaction('email', async (tx) => {
    const rows = await tx.query<Row>(
      `SELECT uidvalidity, last_uid, backlog_until, backlog_since::text, newest, seen_at FROM email.imap_cursor WHERE account_ref = $1 AND folder = $2 ORDER BY seen_at DESC`,
      [folder.accountRef, folder.path],
    );
    const row = rows.find(({ uidvalidity }) => Number(uidvalidity) === opened.uidvalidity);
    if (row) {
      const cursor = {
        uidvalidity: opened.uidvalidity,
        lastUid: Number(row.last_uid),
        backlogUntil: Number(row.backlog_until),
        backlogSince: row.backlog_since,
      };
      return { cursor, reset: false };
    }
    const before = rows[0];
    const cursor = before ? beginningAgain(opened, before.newest ?? before.seen_at) : beginning(opened, importSince);
    await tx.query(
      `INSERT INTO email.imap_cursor (account_ref, folder, uidvalidity, last_uid, backlog_until, backlog_since) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
      [folder.accountRef, folder.path, cursor.uidvalidity, cursor.lastUid, cursor.backlogUntil, cursor.backlogSince],
    );
    return { cursor, reset: before !== undefined };
  });
}

/** What a fetch has dealt with: mails that came, in the order of `received`, and UIDs that were gone before they could be fetched. */
export interface Taken {
  readonly uids: readonly number[];
  readonly vanished: readonly number[];
  /** The latest arrival among them, by the server's clock. */
  readonly newest: Date | undefined;
}

/** Notes what was taken and moves the cursor past it, never back: in the transaction that keeps the mails. */
export async function moveCursor(
  tx: LogTransaction,
  folder: Folder,
  uidvalidity: number,
  { uids, vanished, newest }: Taken,
  received: readonly Receipt[],
): Promise<void> {
  await tx.query(
    `INSERT INTO email.imap_message (account_ref, folder, uidvalidity, uid, contact_id, duplicate)
     SELECT $1, $2, $3, uid, contact_id, duplicate FROM unnest($4::bigint[], $5::uuid[], $6::boolean[]) AS n(uid, contact_id, duplicate) ON CONFLICT DO NOTHING`,
    [
      folder.accountRef,
      folder.path,
      uidvalidity,
      [...uids, ...vanished],
      [...received.map(({ contactId }) => contactId), ...vanished.map(() => null)],
      [...received.map(({ duplicate }) => duplicate), ...vanished.map(() => false)],
    ],
  );
  await passUid(tx, folder, uidvalidity, Math.max(...uids, ...vanished), newest);
}

/** Moves the cursor to a UID, never back. */
export async function passUid(tx: LogTransaction, folder: Folder, uidvalidity: number, uid: number, newest?: Date): Promise<void> {
  await tx.query(
    `UPDATE email.imap_cursor SET last_uid = greatest(last_uid, $4), newest = greatest(newest, $5::timestamptz), seen_at = now()
     WHERE account_ref = $1 AND folder = $2 AND uidvalidity = $3`,
    [folder.accountRef, folder.path, uidvalidity, uid, newest ?? null],
  );
}

/** Those of the UIDs that were never taken; forgets what no sweep will ask for. */
export async function neverTaken(log: EventLog, folder: Folder, uidvalidity: number, uids: readonly number[]): Promise<number[]> {
  return log.transaction('email', async (tx) => {
    const rows = await tx.query<{ uid: string }>(
      `SELECT uid FROM unnest($4::bigint[]) AS n(uid)
       WHERE NOT EXISTS (SELECT FROM email.imap_message m WHERE m.account_ref = $1 AND m.folder = $2 AND m.uidvalidity = $3 AND m.uid = n.uid) ORDER BY uid`,
      [folder.accountRef, folder.path, uidvalidity, uids],
    );
    await tx.query(`DELETE FROM email.imap_message WHERE account_ref = $1 AND taken_at < now() - interval '${KEEP_DAYS} days'`, [folder.accountRef]);
    return rows.map(({ uid }) => Number(uid));
  });
}
