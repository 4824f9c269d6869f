/** Open time, from `startMs` up to but not including `endMs`. */
export interface Segment {
  readonly startMs: number;
  readonly endMs: number;
}

/**
 * When somebody is there. Instants and durations are in milliseconds, instants since 1970. Every function may throw `OutOfRangeError`;
 * those that look for open time throw `NeverOpenError` when there is none left, those given a duration `InvalidDurationError`.
 */
export interface Calendar {
  isOpen(atMs: number): boolean;
  /** The least open instant from `atMs` on. */
  nextOpen(atMs: number): number;
  /** How long it is open in [fromMs, toMs); 0 when that is empty. */
  elapsed(fromMs: number, toMs: number): number;
  /** The least instant by which `durationMs` have elapsed since `fromMs`, so possibly a closing; for 0 the next open instant. */
  deadline(fromMs: number, durationMs: number): number;
  /** The greatest instant from which `durationMs` elapse until `toMs`, so possibly an opening; for 0 the end of the open time before `toMs`. */
  subtract(toMs: number, durationMs: number): number;
  /** The open segments in [fromMs, toMs), cut to it. */
  segments(fromMs: number, toMs: number): Segment[];
  /** The open segments from `fromMs` on, the first cut to it, for as long as the caller takes them. */
  segmentsAfter(fromMs: number): Iterable<Segment>;
  /** The open segments before `toMs`, latest first, the first cut to it. */
  segmentsBefore(toMs: number): Iterable<Segment>;
}
