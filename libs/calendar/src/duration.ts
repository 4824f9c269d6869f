import { InvalidDurationError } from './errors.ts';

/** Throws unless `durationMs` is a finite number from 0 up. */
export function requireDuration(durationMs: number): void {
  // Written so that NaN fails too.
  if (!(durationMs >= 0 && durationMs < Number.POSITIVE_INFINITY)) throw new InvalidDurationError(durationMs);
}
