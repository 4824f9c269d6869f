/** How far a folder (at one UIDVALIDITY) has been read. */
export interface Cursor {
  readonly uidvalidity: number;
  /** Everything up to here has been dealt with. */
  readonly lastUid: number;
  /** Mail up to here was there before us. */
  readonly backlogUntil: number;
  /** Of that mail, what arrived on this day or later is taken; without it, none. `YYYY-MM-DD`. */
  readonly backlogSince: string | null;
}

/** What a server says of a folder when it opens it. */
export interface OpenedFolder {
  readonly uidvalidity: number;
  /** The UID that the next mail will get. */
  readonly uidNext: number;
}

/** One transaction keeps this many. */
export const MAX_BATCH = 50;
/** Clocks differ, and a search by day knows neither hour nor zone. */
const MARGIN_MS = 24 * 3_600_000;

/** Where to begin in a folder seen for the first time: with the next mail, unless it was asked for what is there. */
export function beginning({ uidvalidity, uidNext }: OpenedFolder, importSince: string | undefined): Cursor {
  return startAt(uidvalidity, uidNext, importSince ?? null);
}

/** Where to begin when a known folder got another UIDVALIDITY, and with it new UIDs for old mail: shortly before the newest mail that was taken. */
export function beginningAgain({ uidvalidity, uidNext }: OpenedFolder, newest: Date): Cursor {
  return startAt(uidvalidity, uidNext, new Date(newest.getTime() - MARGIN_MS).toISOString().slice(0, 10));
}

function startAt(uidvalidity: number, uidNext: number, backlogSince: string | null): Cursor {
  const backlogUntil = uidNext - 1;
  return { uidvalidity, lastUid: backlogSince === null ? backlogUntil : 0, backlogUntil, backlogSince };
}

/** What to ask the server for: the rest of the backlog first, then what is new. */
export function nextSearch({ lastUid, backlogUntil, backlogSince }: Cursor): { uid: string; since?: string } {
  if (lastUid < backlogUntil && backlogSince !== null) return { uid: `${lastUid + 1}:${backlogUntil}`, since: backlogSince };
  return { uid: `${Math.max(lastUid, backlogUntil) + 1}:*` };
}

/** The UIDs to take, oldest first. `n:*` names the last mail of a folder even when its UID is below n (RFC 3501 §6.4.8). */
export function toTake(found: readonly number[], { lastUid }: Cursor): number[] {
  return found.filter((uid) => uid > lastUid).sort((a, b) => a - b);
}

/** Cuts mails, in their order, into groups of whole ones and single others. */
export function groupWhole<M>(mails: readonly M[], isWhole: (mail: M) => boolean): M[][] {
  const groups: M[][] = [];
  let open = false;
  for (const mail of mails) {
    if (open && isWhole(mail)) groups.at(-1)!.push(mail);
    else groups.push([mail]);
    open = isWhole(mail);
  }
  return groups;
}
