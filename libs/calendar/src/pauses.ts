import type { Calendar } from './calendar.ts';
import { requireDuration } from './duration.ts';

/** A time that does not count, [fromMs, toMs); `toMs` is null while it lasts. Pauses may overlap and come in any order. */
export interface Pause {
  readonly fromMs: number;
  readonly toMs: number | null;
}

/** How much open time of [fromMs, toMs) lies outside the pauses. */
export function elapsedWithPauses(calendar: Calendar, fromMs: number, toMs: number, pauses: readonly Pause[]): number {
  let counted = 0;
  let at = fromMs;
  for (const pause of inOrder(pauses)) {
    if (pause.fromMs >= toMs) break;
    counted += calendar.elapsed(at, pause.fromMs);
    if (pause.toMs === null) return counted;
    at = Math.max(at, pause.fromMs, pause.toMs);
  }
  return counted + calendar.elapsed(at, toMs);
}

/**
 * The least instant by which `durationMs` of open time outside the pauses have elapsed since `fromMs`; for 0 the next instant that counts.
 * Undefined when a pause that still lasts holds it off.
 */
export function deadlineWithPauses(calendar: Calendar, fromMs: number, durationMs: number, pauses: readonly Pause[]): number | undefined {
  requireDuration(durationMs);
  let leftMs = durationMs;
  let at = fromMs;
  for (const pause of inOrder(pauses)) {
    if (pause.fromMs > at) {
      const beforeMs = calendar.elapsed(at, pause.fromMs);
      // With nothing left to wait for, the first instant that counts is meant, not the start of the pause.
      if (leftMs > 0 ? beforeMs >= leftMs : beforeMs > 0) break;
      leftMs -= beforeMs;
    }
    if (pause.toMs === null) return undefined;
    at = Math.max(at, pause.fromMs, pause.toMs);
  }
  return calendar.deadline(at, leftMs);
}

function inOrder(pauses: readonly Pause[]): readonly Pause[] {
  const sorted = pauses.every((pause, index) => index === 0 || pauses[index - 1]!.fromMs <= pause.fromMs);
  return sorted ? pauses : [...pauses].sort((a, b) => a.fromMs - b.fromMs);
}
