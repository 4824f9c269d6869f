export * from './timer-schema.ts';
export * from './timers.module.ts';
export * from './timers.ts';
