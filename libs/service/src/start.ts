import 'reflect-metadata';
import type { EventEmitter } from 'node:events';
import { Module, type DynamicModule, type Type } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, NestFactory, Reflector } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { WsAdapter } from '@nestjs/platform-ws';
import { TypeOrmModule } from '@nestjs/typeorm';
import { EventLog, EventLogServer, logMigrations, LogModule, type KafkaOptions } from '@tierline/log';
import { timerMigrations, TimersModule } from '@tierline/timers';
import helmet from 'helmet';
import pg from 'pg';
import { DataSource, type MigrationInterface } from 'typeorm';
import { AccessConsumer } from './access.consumer.ts';
import { AccessGuard, AccessTokens } from './access.guard.ts';
import { accessMigrations } from './access-schema.ts';
import type { ProcessConfig } from './config.ts';
import { HealthController } from './health.controller.ts';
import { MetricsController } from './metrics.controller.ts';
import { ParkedController } from './parked.controller.ts';
import { ProblemFilter } from './problem.filter.ts';

/** One service of Tierline: what `startProcess` needs to run it, alone or beside others. */
export interface ServiceDefinition {
  /** Name of the service, of its PostgreSQL schema, and of its path under the public address. */
  readonly name: string;
  readonly module: Type;
  readonly entities: readonly (new () => object)[];
  readonly migrations: readonly (new () => MigrationInterface)[];
}

/** What a running process hands to whoever started it. */
export interface RunningProcess {
  readonly app: NestExpressApplication;
  /** Where it answers: http://host:port */
  readonly url: string;
  stop(): Promise<void>;
}

/** Token of the process's configuration for injection. */
export const PROCESS_CONFIG = Symbol('process-config');

/** Parallel transactions of a process: its groups, timers, relay, and requests. PostgreSQL itself is busy with far fewer. */
const POOL_SIZE = 24;

/**
 * Runs services in one Nest application: database and migrations, guard, errors, health, and the event log as its microservice.
 * Several services together write one log; a service on its own has its own (see libs/log).
 */
export async function startProcess(services: readonly ServiceDefinition[], config: ProcessConfig & { DATABASE_URL: string }): Promise<RunningProcess> {
  const source = services.length === 1 ? `${services[0]!.name}_log` : 'log';
  const dataSource = await connect(services, source, config.DATABASE_URL);
  const app = await NestFactory.create<NestExpressApplication>(processModule(services, source, dataSource, config), {
    rawBody: true,
  });
  app.useWebSocketAdapter(new WsAdapter(app));
  app.use(helmet());
  app.useBodyParser('json', { limit: '1mb' });
  app.disable('x-powered-by');
  // Hashing every answer costs more than it saves: hardly any of them is asked for twice.
  app.disable('etag');
  // A gateway in front of us says whom it speaks for; anybody farther away is not believed.
  app.set('trust proxy', 'loopback, linklocal, uniquelocal');
  app.connectMicroservice({ strategy: app.get(EventLogServer) }, { inheritAppConfig: false });
  await app.startAllMicroservices();
  await app.listen(config.PORT, config.HOST);
  const { port } = app.getHttpServer().address() as { port: number };
  return {
    app,
    url: `http://${config.HOST.includes(':') ? `[${config.HOST}]` : config.HOST}:${port}`,
    async stop() {
      app.get(HealthController).drain();
      await app.close();
    },
  };
}

/** A connection that breaks in the moment it is handed out has no listener yet, and would end the process; whoever uses it learns of it by the query that fails. */
class ListeningClient extends pg.Client {
  constructor(config?: pg.ClientConfig) {
    super(config);
    this.on('error', () => undefined);
  }
}

async function connect(services: readonly ServiceDefinition[], source: string, url: string): Promise<DataSource> {
  const dataSource = new DataSource({
    type: 'postgres',
    url,
    applicationName: `tierline ${services.length === 1 ? services[0]!.name : 'all'}`,
    entities: services.flatMap((service) => [...service.entities]),
    migrations: [...logMigrations(source), ...timerMigrations(source), ...accessMigrations(source), ...services.flatMap((service) => [...service.migrations])],
    // Named, so that a migration which sets its search path does not hide the table from TypeORM.
    schema: 'public',
    migrationsTableName: 'tierline_migrations',
    extra: {
      Client: ListeningClient,
      max: POOL_SIZE,
      statement_timeout: 10_000,
      lock_timeout: 4_000,
      idle_in_transaction_session_timeout: 15_000,
      // A server that ends says so to every connection. One that has just been made, or was just given back, has nobody who listens, and would end the process.
      onConnect: (connection: EventEmitter) => void connection.on('error', () => undefined),
    },
  });
  await dataSource.initialize();
  try {
    await migrate(dataSource);
    return dataSource;
  } catch (error) {
    await dataSource.destroy();
    throw error;
  }
}

/** One process migrates at a time; the others find the work done. */
async function migrate(dataSource: DataSource): Promise<void> {
  const runner = dataSource.createQueryRunner();
  try {
    await runner.query(`SET lock_timeout = 0; SET statement_timeout = 0`);
    await runner.query(`SELECT pg_advisory_lock(hashtext('tierline migrations'))`);
    await dataSource.runMigrations({ transaction: 'each' });
  } finally {
    await runner.query(`SELECT pg_advisory_unlock_all(); RESET lock_timeout; RESET statement_timeout`);
    await runner.release();
  }
}

@Module({})
class ProcessModule {}

function processModule(
  services: readonly ServiceDefinition[],
  source: string,
  dataSource: DataSource,
  config: ProcessConfig & { DATABASE_URL: string },
): DynamicModule {
  return {
    module: ProcessModule,
    global: true,
    imports: [
      TypeOrmModule.forRootAsync({ useFactory: () => ({ type: 'postgres' }), dataSourceFactory: () => Promise.resolve(dataSource) }),
      LogModule.forRoot({ source, checkEvents: config.TIERLINE_CHECK_EVENTS, kafka: kafkaOf(config) }),
      TimersModule,
      ...services.map((service) => service.module),
    ],
    controllers: [HealthController, MetricsController, ParkedController, AccessConsumer],
    providers: [
      { provide: PROCESS_CONFIG, useValue: config },
      { provide: AccessTokens, inject: [EventLog], useFactory: (log: EventLog) => new AccessTokens(log, config.TIERLINE_ADMIN_TOKEN) },
      { provide: APP_GUARD, inject: [AccessTokens, Reflector], useFactory: (tokens: AccessTokens, reflector: Reflector) => new AccessGuard(tokens, reflector) },
      { provide: APP_FILTER, useClass: ProblemFilter },
    ],
    exports: [PROCESS_CONFIG, AccessTokens],
  };
}

const kafkaOf = ({ KAFKA_BROKERS: brokers, KAFKA_TOPIC_PREFIX: topicPrefix }: ProcessConfig): KafkaOptions | undefined =>
  brokers === undefined ? undefined : { brokers: brokers.split(',').map((broker) => broker.trim()), topicPrefix };
