import { z } from 'zod';

/** Thrown at start when the environment is not usable; names every fault at once. */
export class ConfigError extends Error {
  readonly code = 'config.invalid';
}

/** Reads the environment through a schema. Keys that are empty strings count as absent. Throws ConfigError with every fault. */
export function loadConfig<S extends z.ZodType>(schema: S, env: NodeJS.ProcessEnv = process.env): z.infer<S> {
  const result = schema.safeParse(Object.fromEntries(Object.entries(env).filter(([, value]) => value !== '')));
  if (result.success) return result.data;
  throw new ConfigError(`cannot start:\n${result.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`).join('\n')}`);
}

/** What every process of Tierline reads from its environment. */
export const processConfig = z.object({
  /** Unset: embedded PostgreSQL under `dataDir`. */
  DATABASE_URL: z.string().optional(),
  /** Comma-separated host:port. Unset: the log is read where it is written. */
  KAFKA_BROKERS: z.string().optional(),
  KAFKA_TOPIC_PREFIX: z.string().default('tierline.'),
  /** Where the embedded database, blobs and generated secrets live. */
  TIERLINE_DATA: z.string().default('.tierline'),
  HOST: z.string().default('127.0.0.1'),
  PORT: z.coerce.number().int().min(0).max(65_535).default(4000),
  /** How the world reaches this process: providers sign this address, not the one a proxy shows us. */
  PUBLIC_URL: z.url().optional(),
  /** Accepted as an administrator's token everywhere. Without it, and without a data directory to keep one in, nobody is administrator. */
  TIERLINE_ADMIN_TOKEN: z.string().min(32).optional(),
  /** Signs what comes back to us: Message-IDs, reply addresses, chat sessions. */
  TIERLINE_SECRET: z.string().min(32).optional(),
  TIERLINE_CHECK_EVENTS: z.stringbool().default(false),
});
export type ProcessConfig = z.infer<typeof processConfig>;
