/** An error that a caller can act on: said over HTTP as a problem (RFC 9457) with this status and code. */
export class DomainError extends Error {
  constructor(
    readonly status: 400 | 401 | 403 | 404 | 409 | 413 | 422 | 429 | 503,
    /** Stable, `noun.fault`. */
    readonly code: string,
    message: string,
    readonly details?: Record<string, unknown>,
  ) {
    super(message);
  }
}

export const notFound = (noun: string, id: string): DomainError => new DomainError(404, `${noun}.not_found`, `there is no ${noun} ${id}`);
export const conflict = (code: string, message: string): DomainError => new DomainError(409, code, message);
export const invalid = (code: string, message: string, details?: Record<string, unknown>): DomainError => new DomainError(422, code, message, details);
