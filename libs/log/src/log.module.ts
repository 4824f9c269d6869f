import { Inject, Logger, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { EmbeddedSource } from './embedded-source.ts';
import { EventLog, type LogOptions } from './event-log.ts';
import { EventLogServer } from './event-log.server.ts';
import type { KafkaOptions } from './kafka-client.ts';
import { KafkaSource } from './kafka-source.ts';
import { Leases } from './lease.ts';
import { ParkedEvents } from './parked-events.ts';

/** Gives a process its log: `EventLog` to write with, `Leases`, `ParkedEvents`, and `EventLogServer` to connect as the Nest microservice that reads. */
@Module({})
export class LogModule implements OnApplicationShutdown {
  constructor(@Inject(Leases) private readonly leases: Leases) {}

  /** With `kafka` the log travels through its brokers, else it is read where it is written. */
  static forRoot({ kafka, ...options }: LogOptions & { kafka?: KafkaOptions | undefined }): DynamicModule {
    return {
      module: LogModule,
      global: true,
      providers: [
        { provide: EventLog, inject: [DataSource], useFactory: (dataSource: DataSource) => new EventLog(dataSource, options) },
        { provide: Leases, inject: [DataSource], useFactory: (dataSource: DataSource) => new Leases(dataSource, options.source, new Logger('Leases')) },
        {
          provide: EventLogServer,
          inject: [EventLog, Leases],
          useFactory: (log: EventLog, leases: Leases) => new EventLogServer(log, kafka ? new KafkaSource(log, leases, kafka) : new EmbeddedSource(log, leases)),
        },
        { provide: ParkedEvents, inject: [EventLog], useFactory: (log: EventLog) => new ParkedEvents(log) },
      ],
      exports: [EventLog, Leases, EventLogServer, ParkedEvents],
    };
  }

  /** After the transports have stopped, so that groups have given their leases back themselves. */
  async onApplicationShutdown(): Promise<void> {
    await this.leases.stop();
  }
}
