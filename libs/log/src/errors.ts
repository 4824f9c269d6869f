/** Another owner has moved the position: this process is not the owner any more and must not commit. */
export class FencedError extends Error {
  readonly code = 'log.fenced';
  constructor(group: string) {
    super(`another process now consumes as group "${group}"; its position was moved, so this transaction was rolled back`);
  }
}

/** A payload that is not one of our envelopes: not JSON, no id or type, or data that does not have the shape of its type. */
export class UndecodableEventError extends Error {
  readonly code = 'log.undecodable_event';
}

/** A type, or a version of one, that this release does not know. */
export class UnknownEventError extends Error {
  readonly code = 'log.unknown_event';
  constructor() {
    super('this release does not know the type, or this version of it');
  }
}

/** An event that no broker would take: refused before it is in the log, where it would block its bucket. */
export class EventTooLargeError extends Error {
  readonly code = 'log.event_too_large';
  constructor(type: string, bytes: number, maxBytes: number) {
    super(`${type} has ${bytes} bytes, an event may have ${maxBytes}; put what is large into the blob store and refer to it`);
  }
}

/** An event for a topic that this log was never told of. Its positions could not be handed out, so nothing was appended. */
export class UnknownTopicError extends Error {
  readonly code = 'log.unknown_topic';
  constructor(topics: readonly string[]) {
    super(`no log heads for some of the topics ${topics.join(', ')}: they are made when the process starts to listen`);
  }
}

/** There is no such event among those parked or waiting: it was handled or skipped meanwhile, or never was. */
export class NotWaitingError extends Error {
  readonly code = 'log.not_waiting';
  constructor(id: string) {
    super(`no event ${id} is parked or waits to be tried again; it may have been handled meanwhile`);
  }
}

/** No group of this name consumes in this process. */
export class UnknownGroupError extends Error {
  readonly code = 'log.unknown_group';
  constructor(group: string) {
    super(`no group "${group}" consumes in this process`);
  }
}

/** The group did not say that handling an event twice does no harm: `@Consumes(group, { replayable: true })`. */
export class NotReplayableError extends Error {
  readonly code = 'log.not_replayable';
  constructor(group: string) {
    super(`group "${group}" may not be replayed: its effects would happen twice`);
  }
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
    /^(08...|57P0[123]|53300|25P03)$/.test(code) ||
    /^E(CONNREFUSED|CONNRESET|PIPE|TIMEDOUT|HOSTUNREACH|NOTFOUND)$/.test(code) ||
    // pg's words, and TypeORM's for a connection that has broken while it was in use.
    /Connection terminated|connection is insecure|Client has encountered a connection error|Connection ended|timeout exceeded when trying to connect|Query runner already released/i.test(
      message,
    )
  );
}

/** Worth trying the very same work again at once. */
export function isTransient(error: unknown): boolean {
  return TRANSIENT_SQLSTATES.has(describe(error).code) || isStalePlan(error);
}

/** A prepared statement outlived a change of its table by a newer release. Only preparing it anew helps. */
export function isStalePlan(error: unknown): boolean {
  const { code, message } = describe(error);
  return code === '0A000' && message.includes('cached plan must not change result type');
}

function describe(error: unknown): { code: string; message: string } {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  return { code: typeof code === 'string' ? code : '', message: typeof message === 'string' ? message : '' };
}
