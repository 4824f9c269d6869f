import { loadConfig, processConfig, type ProcessConfig } from '@tierline/service';

/** The configuration of a process that a benchmark starts: as in production, on a free port. */
export function settings(databaseUrl: string, dataDir: string, env: NodeJS.ProcessEnv = {}): ProcessConfig & { DATABASE_URL: string } {
  return {
    ...loadConfig(processConfig, {
      PORT: '0',
      TIERLINE_DATA: dataDir,
      TIERLINE_ADMIN_TOKEN: ADMIN_TOKEN,
      TIERLINE_SECRET: SECRET,
      ...env,
    }),
    DATABASE_URL: databaseUrl,
  };
}

export const ADMIN_TOKEN = 'an-administrator-token-for-benchmarks-on-loopback-only';
export const SECRET = 'a secret for benchmarks, on loopback only';
