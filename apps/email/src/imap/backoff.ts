const FIRST_MS = 2_000;
const FACTOR = 1.5;
const LONGEST_MS = 30_000;
/** Servers lock an account out that hammers them with a wrong password; a person has to change it. */
const AUTH_RETRY_MS = 3_600_000;

/** What imapflow tells of a failure. */
export interface ImapFailure {
  readonly authenticationFailed?: boolean | undefined;
  readonly throttleReset?: number | undefined;
}

/** How long to leave a server alone after so many failures in a row. `chance` is from 0 to 1, so that a thousand mailboxes do not come back together. */
export function backoffMs(failures: number, failure: ImapFailure, chance: number): number {
  if (failure.authenticationFailed) return AUTH_RETRY_MS;
  const ms = failure.throttleReset ?? Math.min(FIRST_MS * FACTOR ** (failures - 1), LONGEST_MS);
  return Math.round(ms * (1 + chance / 4));
}
