import { Inject, Logger, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { EmbeddedSource } from './embedded-source.ts';
import { EventLog, type LogOptions } from './event-log.ts';
import { EventLogServer } from './event-log.server.ts';
import { Leases } from './lease.ts';

/** Gives a process its log: `EventLog` to write with, `Leases`, and `EventLogServer` to connect as the Nest microservice that reads. */
@Module({})
export class LogModule implements OnApplicationShutdown {
  constructor(@Inject(Leases) private readonly leases: Leases) {}

  static forRoot(options: LogOptions): DynamicModule {
    return {
      module: LogModule,
      global: true,
      providers: [
        { provide: EventLog, inject: [DataSource], useFactory: (dataSource: DataSource) => new EventLog(dataSource, options) },
        { provide: Leases, inject: [DataSource], useFactory: (dataSource: DataSource) => new Leases(dataSource, options.source, new Logger('Leases')) },
        {
          provide: EventLogServer,
          inject: [EventLog, Leases],
          useFactory: (log: EventLog, leases: Leases) => new EventLogServer(log, new EmbeddedSource(log, leases)),
        },
      ],
      exports: [EventLog, Leases, EventLogServer],
    };
  }

  /** After the transports have stopped, so that groups have given their leases back themselves. */
  async onApplicationShutdown(): Promise<void> {
    await this.leases.stop();
  }
}
