import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Inject, Logger, Module, type DynamicModule, type OnApplicationBootstrap, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { EventLog, Leases } from '@tierline/log';
import { ConfigError, loadConfig, PROCESS_CONFIG, type ProcessConfig } from '@tierline/service';
import { z } from 'zod';
import { Accounts } from './accounts.ts';
import type { ChannelAdapter } from './adapter.ts';
import { openBlobStore, type BlobStore } from './blob-store.ts';
import { Delivery } from './delivery.ts';
import { Intake, type IntakeOptions, type Thread } from './intake.ts';
import { ParseLoop } from './parse-loop.ts';
import { Webhooks } from './webhooks.ts';

/** Token of the process's blob store for injection. */
export const BLOB_STORE = Symbol('blob-store');
/** Token of the service's adapter for injection. */
export const CHANNEL_ADAPTER = Symbol('channel-adapter');
const INTAKE_OPTIONS = Symbol('intake-options');

/** What a process with channels reads from its environment beside `processConfig`. */
const channelConfig = z.object({
  /** Where payloads and attachments are kept. Unset: files under the data directory. */
  BLOB_URL: z.url().optional(),
});

/** What an adapter may be built from. */
export interface AdapterParts<Settings extends Record<string, unknown>> {
  accounts: Accounts<Settings>;
  blobs: BlobStore;
  config: ProcessConfig;
  /** Signs and recognises what the channel gives out itself. */
  secret: string;
}

export interface ChannelDefinition<Schema extends z.ZodObject> {
  /** Name of the service and of its schema, whose migrations contain `channelMigrations(service)`. */
  service: string;
  normalize: IntakeOptions['normalize'];
  /** The settings of one account; those marked with `secret()` are never shown. */
  settings: Schema;
  adapter: (parts: AdapterParts<z.infer<Schema>>) => ChannelAdapter;
  thread?: Thread;
}

/**
 * The runtime of one channel service. Imported by the service's module, it gives it `Intake`, `Delivery`, `Accounts`, `Webhooks`, the blob store and the adapter.
 * Not global: each service of a process has its own.
 */
@Module({})
export class ChannelModule implements OnModuleInit, OnApplicationBootstrap, OnModuleDestroy {
  constructor(
    private readonly intake: Intake,
    private readonly parseLoop: ParseLoop,
    private readonly delivery: Delivery,
    private readonly accounts: Accounts,
    @Inject(CHANNEL_ADAPTER) private readonly adapter: ChannelAdapter,
    @Inject(INTAKE_OPTIONS) private readonly options: IntakeOptions,
  ) {}

  static forService<Schema extends z.ZodObject>(definition: ChannelDefinition<Schema>): DynamicModule {
    const { service } = definition;
    return {
      module: ChannelModule,
      providers: [
        {
          provide: INTAKE_OPTIONS,
          inject: [PROCESS_CONFIG],
          useFactory: (config: ProcessConfig): IntakeOptions => {
            if (config.TIERLINE_SECRET === undefined) throw new ConfigError('cannot start: a channel signs and seals with TIERLINE_SECRET, which is not set');
            return { service, normalize: definition.normalize, secret: config.TIERLINE_SECRET, thread: definition.thread };
          },
        },
        {
          provide: BLOB_STORE,
          inject: [PROCESS_CONFIG],
          useFactory: (config: ProcessConfig) =>
            openBlobStore(loadConfig(channelConfig).BLOB_URL ?? pathToFileURL(resolve(config.TIERLINE_DATA, 'blobs')).href),
        },
        {
          provide: Accounts,
          inject: [EventLog, INTAKE_OPTIONS],
          useFactory: (log: EventLog, { secret }: IntakeOptions) => new Accounts(log, service, definition.settings, secret, logger(service)),
        },
        {
          provide: CHANNEL_ADAPTER,
          inject: [Accounts, BLOB_STORE, PROCESS_CONFIG, INTAKE_OPTIONS],
          useFactory: (accounts: Accounts<z.infer<Schema>>, blobs: BlobStore, config: ProcessConfig, { secret }: IntakeOptions) =>
            definition.adapter({ accounts, blobs, config, secret }),
        },
        {
          provide: Intake,
          inject: [EventLog, BLOB_STORE, CHANNEL_ADAPTER, INTAKE_OPTIONS],
          useFactory: (log: EventLog, blobs: BlobStore, adapter: ChannelAdapter, options: IntakeOptions) =>
            new Intake(log, blobs, adapter, options, logger(service)),
        },
        {
          provide: ParseLoop,
          inject: [EventLog, Leases, BLOB_STORE, CHANNEL_ADAPTER, INTAKE_OPTIONS],
          useFactory: (log: EventLog, leases: Leases, blobs: BlobStore, adapter: ChannelAdapter, options: IntakeOptions) =>
            new ParseLoop(log, leases, blobs, adapter, options, logger(service)),
        },
        {
          provide: Delivery,
          inject: [EventLog, Leases, CHANNEL_ADAPTER],
          useFactory: (log: EventLog, leases: Leases, adapter: ChannelAdapter) => new Delivery(log, leases, adapter, service, logger(service)),
        },
        {
          provide: Webhooks,
          inject: [CHANNEL_ADAPTER, Intake, PROCESS_CONFIG],
          useFactory: (adapter: ChannelAdapter, intake: Intake, config: ProcessConfig) => new Webhooks(adapter, intake, config.PUBLIC_URL),
        },
      ],
      exports: [Intake, Delivery, Accounts, Webhooks, BLOB_STORE, CHANNEL_ADAPTER],
    };
  }

  async onModuleInit(): Promise<void> {
    await this.accounts.start();
  }

  onApplicationBootstrap(): void {
    if (this.options.normalize === 'deferred') {
      this.intake.onReceived(() => this.parseLoop.wake());
      this.parseLoop.start();
    }
    if (this.adapter.send) this.delivery.start();
  }

  /** Before the transports stop: what was let in is kept, what is on its way arrives. */
  async onModuleDestroy(): Promise<void> {
    this.accounts.stop();
    await this.intake.drain();
    await this.parseLoop.stop();
    await this.delivery.stop();
  }
}

function logger(service: string): Logger {
  return new Logger(`Channel ${service}`);
}
