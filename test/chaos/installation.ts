import type { Audit } from './audit.ts';
import type { ServiceProcess } from './service-process.ts';

/** Something that is done to a running installation. Resolves when all of it runs again. */
export interface Fault {
  readonly name: string;
  readonly strike: () => Promise<void>;
}

/** What was done, and when: in ms since 1970. */
export interface Strike {
  readonly what: string;
  readonly at: number;
  /** Ended with SIGKILL: the time until it is back is of interest. */
  readonly isKill: boolean;
}

/** Notes a strike at the moment when it is made. */
export type Note = (what: string, isKill?: boolean) => void;

/** A running Tierline, behind proxies. */
export interface Installation {
  /** In a few words, for people. */
  readonly where: string;
  readonly processes: readonly ServiceProcess[];
  readonly smtpPort: number;
  /** Where a service answers: a door that stays, wherever the service moves. */
  readonly urlOf: (service: string) => string;
  /** The database itself, past the proxies. */
  readonly databaseUrl: () => string;
  /** Every kind of fault once, in an order that makes sense. */
  readonly round: (random: () => number) => Fault[];
  /** Adds what only this kind of installation can be asked. */
  readonly auditMore?: (audit: Audit) => Promise<void>;
}

/** What an installation is started with. */
export interface InstallationOptions {
  /** A folder of its own. */
  readonly folder: string;
  readonly adminToken: string;
  readonly secret: string;
  readonly note: Note;
  /** Called with what has to be ended whatever happens. */
  readonly onExit: (end: () => Promise<void>) => void;
  readonly progress: (text: string) => void;
}
