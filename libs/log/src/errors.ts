/** Another owner has moved the position: this process is not the owner any more and must not commit. */
export class FencedError extends Error {
  readonly code = 'log.fenced';
  constructor(group: string) {
    super(`another process now consumes as group "${group}"; its position was moved, so this transaction was rolled back`);
  }
}

/** Positions of one writer are dense; a missing one means that an event was lost below us, and nothing after it may be handled. */
export class HoleError extends Error {
  readonly code = 'log.hole';
  constructor(
    readonly source: string,
    readonly topic: string,
    readonly bucket: number,
    readonly expected: number,
    readonly found: number,
  ) {
    super(`hole in ${topic}/${bucket} from ${source}: expected position ${expected}, found ${found}; the partition stops until the missing events come`);
  }
}

/** An event that cannot be handled however often it is tried: it is not ours to understand. */
export class UnreadableEventError extends Error {
  readonly code = 'log.unreadable_event';
}

const TRANSIENT_SQLSTATES = new Set([
  '40001', // serialization_failure
  '40P01', // deadlock_detected
  '55P03', // lock_not_available
  '57014', // query_canceled (statement_timeout)
]);

/** PostgreSQL's server is going away, not there yet, or out of connections; or the socket broke. Says nothing about the event at hand. */
export function isConnectionError(error: unknown): boolean {
  const { code, message } = describe(error);
  return (
    /^(08...|57P0[123]|53300)$/.test(code) ||
    /^E(CONNREFUSED|CONNRESET|PIPE|TIMEDOUT|HOSTUNREACH|NOTFOUND)$/.test(code) ||
    /Connection terminated|connection is insecure|Client has encountered a connection error|Connection ended|timeout exceeded when trying to connect/i.test(message)
  );
}

/** Worth trying the very same work again at once. */
export function isTransient(error: unknown): boolean {
  return TRANSIENT_SQLSTATES.has(describe(error).code);
}

function describe(error: unknown): { code: string; message: string } {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  return { code: typeof code === 'string' ? code : '', message: typeof message === 'string' ? message : '' };
}
