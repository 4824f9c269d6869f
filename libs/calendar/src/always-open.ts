import type { Calendar, Segment } from './calendar.ts';
import { requireDuration } from './duration.ts';

/** The calendar that never closes: all time counts. */
export const alwaysOpen: Calendar = {
  isOpen: () => true,
  nextOpen: (atMs) => atMs,
  elapsed: (fromMs, toMs) => Math.max(0, toMs - fromMs),
  deadline(fromMs, durationMs) {
    requireDuration(durationMs);
    return fromMs + durationMs;
  },
  subtract(toMs, durationMs) {
    requireDuration(durationMs);
    return toMs - durationMs;
  },
  segments: (fromMs, toMs): Segment[] => (toMs > fromMs ? [{ startMs: fromMs, endMs: toMs }] : []),
  segmentsAfter: (fromMs) => [{ startMs: fromMs, endMs: Number.POSITIVE_INFINITY }],
  segmentsBefore: (toMs) => [{ startMs: Number.NEGATIVE_INFINITY, endMs: toMs }],
};
