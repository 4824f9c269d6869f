import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { Logger } from '@nestjs/common';
import { loadConfig, processConfig, type ProcessConfig } from './config.ts';
import { ProcessLogger } from './process-logger.ts';
import { startPostgres } from './embedded-postgres.ts';
import { startProcess, type RunningProcess, type ServiceDefinition } from './start.ts';

/** Longest time that a process may take to finish what it is doing; a second signal ends it at once. */
const DRAIN_MS = 20_000;

/** Starts services with what the environment says, an embedded PostgreSQL where it names none, and secrets of its own where it gives none. */
export async function startFromEnvironment(
  services: readonly ServiceDefinition[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<RunningProcess & { config: ProcessConfig }> {
  Logger.overrideLogger(new ProcessLogger());
  const config = loadConfig(processConfig, env);
  const postgres = config.DATABASE_URL === undefined ? await startPostgres({ dataDir: join(config.TIERLINE_DATA, 'postgres') }) : undefined;
  const complete = {
    ...config,
    DATABASE_URL: config.DATABASE_URL ?? postgres!.url,
    TIERLINE_ADMIN_TOKEN: config.TIERLINE_ADMIN_TOKEN ?? (postgres && (await keptSecret(config.TIERLINE_DATA, 'admin-token'))),
    TIERLINE_SECRET: config.TIERLINE_SECRET ?? (await keptSecret(config.TIERLINE_DATA, 'secret')),
  };
  try {
    const running = await startProcess(services, complete);
    return {
      ...running,
      config: complete,
      async stop() {
        await running.stop();
        await postgres?.stop();
      },
    };
  } catch (error) {
    await postgres?.stop();
    throw error;
  }
}

/** The `main` of a service: runs until SIGINT or SIGTERM, drains, and exits 0. */
export async function runService(service: ServiceDefinition): Promise<void> {
  const logger = new Logger('Process');
  const running = await startFromEnvironment([service]);
  logger.log(`${service.name} answers at ${running.url}`);
  stopOnSignals(() => running.stop());
}

/** Ends the process in order on the first SIGINT or SIGTERM, at once on the second. A process that was forked also ends with its parent. */
export function stopOnSignals(stop: () => Promise<void>): void {
  let stopping = false;
  const end = (): void => {
    if (stopping) process.exit(1);
    stopping = true;
    setTimeout(() => process.exit(1), DRAIN_MS).unref();
    stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('SIGINT', end).on('SIGTERM', end).once('disconnect', end);
}

/** A secret of this installation, made once and kept readable by its owner only. */
async function keptSecret(dataDir: string, name: string): Promise<string> {
  const path = join(dataDir, name);
  await mkdir(dataDir, { recursive: true });
  try {
    await writeFile(path, randomBytes(32).toString('base64url'), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return readFile(path, 'utf8');
}
