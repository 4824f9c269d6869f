import { Temporal } from 'temporal-polyfill';
import { DAY_MS } from './wall-time.ts';

/** Around a year are looked at too: dates whose hours reach into it, in any zone, after a whole day was skipped. */
const MARGIN_MS = 5 * DAY_MS;

/** What a zone's clocks are ahead of UTC around one UTC year. Wall times are in ms as if they were UTC. */
export interface ZoneOffsets {
  /** `offsetsMs[i + 1]` holds for wall times from `fromWallMs[i]` on. */
  readonly fromWallMs: readonly number[];
  readonly offsetsMs: readonly number[];
}

// Asking Temporal costs about 0.1 ms a wall time; asked for the changes only, it is a year's cost once a process.
const known = new Map<string, ZoneOffsets>();

/** The offsets for wall times in a UTC year and the three days before and after it. */
export function zoneOffsets(timeZone: string, year: number): ZoneOffsets {
  const key = `${year} ${timeZone}`;
  let offsets = known.get(key);
  if (!offsets) known.set(key, (offsets = findOffsets(timeZone, Date.UTC(year, 0) - MARGIN_MS, Date.UTC(year + 1, 0) + MARGIN_MS)));
  return offsets;
}

function findOffsets(timeZone: string, fromMs: number, toMs: number): ZoneOffsets {
  const fromWallMs: number[] = [];
  let at = Temporal.Instant.fromEpochMilliseconds(fromMs).toZonedDateTimeISO(timeZone);
  const offsetsMs = [at.offsetNanoseconds / 1e6];
  for (let next = at.getTimeZoneTransition('next'); next && next.epochMilliseconds < toMs; next = at.getTimeZoneTransition('next')) {
    at = next;
    const offsetMs = at.offsetNanoseconds / 1e6;
    // Temporal's 'compatible': a wall time that is skipped or comes twice is read by the offset before the change.
    fromWallMs.push(at.epochMilliseconds + Math.max(offsetMs, offsetsMs.at(-1)!));
    offsetsMs.push(offsetMs);
  }
  return { fromWallMs, offsetsMs };
}

/** The instant of a wall time: one that is skipped lies as far after the gap as it is into it, of one that comes twice the first is meant. */
export function instantOf(wallMs: number, { fromWallMs, offsetsMs }: ZoneOffsets): number {
  let changes = 0;
  while (changes < fromWallMs.length && wallMs >= fromWallMs[changes]!) changes++;
  return wallMs - offsetsMs[changes]!;
}
