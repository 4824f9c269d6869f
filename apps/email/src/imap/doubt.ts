import { MAX_BATCH } from './cursor.ts';

/** A batch that could not be fetched: one of its mails may be one that the server cannot hand out. */
export interface Doubt {
  /** Up to here mails are fetched one at a time. */
  readonly until: number;
  /** The mail that was asked for last, or the first of several. */
  readonly uid: number;
  /** How often it failed alone. */
  readonly failures: number;
}

/** A bad line looks the same at first; it does not fail at the same mail again and again. */
const HOPELESS_AFTER = 3;

/** What to think when these mails could not be fetched. */
export function afterFailure(doubt: Doubt | undefined, uids: readonly number[]): Doubt {
  const alone = uids.length === 1;
  const again = alone && doubt?.uid === uids[0] ? doubt!.failures : 0;
  return { until: Math.max(doubt?.until ?? 0, uids.at(-1)!), uid: uids[0]!, failures: alone ? again + 1 : 0 };
}

/** The mails to ask for next. */
export function nextBatch(doubt: Doubt | undefined, uids: readonly number[]): number[] {
  return uids.slice(0, doubt && uids[0]! <= doubt.until ? 1 : MAX_BATCH);
}

/** Whether a mail has failed so often that the mails behind it should wait no longer. */
export function isHopeless(doubt: Doubt | undefined, uids: readonly number[]): boolean {
  return uids.length === 1 && doubt?.uid === uids[0] && doubt!.failures >= HOPELESS_AFTER;
}
