export * from './access.guard.ts';
export * from './config.ts';
export * from './duration.ts';
export * from './errors.ts';
export * from './start.ts';
export * from './validated.ts';
export * from './embedded-postgres.ts';
export * from './run-service.ts';
