/** Thrown when the embedded PostgreSQL cannot be used; the message says what to do. */
export class PostgresError extends Error {
  constructor(
    readonly code:
      'POSTGRES_NOT_INSTALLED' | 'POSTGRES_NO_USER' | 'POSTGRES_IN_USE' | 'POSTGRES_OTHER_MAJOR' | 'POSTGRES_CLOSED_FOLDER' | 'POSTGRES_NOT_STARTED',
    message: string,
    cause?: unknown,
  ) {
    super(message, { cause });
  }
}
