/** Thrown when a real part cannot be had on this machine; the message says what to install. */
export class MissingPartError extends Error {
  readonly code = 'MISSING_PART';
}
