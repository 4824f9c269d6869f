/** A time that does not count, in ms since 1970; `to` is null while it lasts. */
export interface Pause {
  readonly from: number;
  readonly to: number | null;
}

/** How much of [from, to) counts: all of it but the pauses, which are in order and do not overlap. */
export function countedMs(from: number, to: number, pauses: readonly Pause[]): number {
  if (to <= from) return 0;
  return pauses.reduce((counted, pause) => counted - overlapMs(pause, from, to), to - from);
}

/** The least instant at which `ms` have counted since `from`; undefined when a pause that still lasts holds it off. */
export function deadline(from: number, ms: number, pauses: readonly Pause[]): number | undefined {
  let at = from + ms;
  for (const pause of pauses) {
    if (pause.from >= at) break;
    if (pause.to === null) return undefined;
    at += overlapMs(pause, from, Number.POSITIVE_INFINITY);
  }
  return at;
}

function overlapMs(pause: Pause, from: number, to: number): number {
  return Math.max(0, Math.min(pause.to ?? Number.POSITIVE_INFINITY, to) - Math.max(pause.from, from));
}
