export { freePort } from '@tierline/service/free-port';
export { eventually } from './eventually.ts';
export { freshDatabase } from './fresh-database.ts';
export type { FreshDatabase } from './fresh-database.ts';
