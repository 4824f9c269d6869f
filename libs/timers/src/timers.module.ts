import { Global, Inject, Logger, Module, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { EventLog, Leases } from '@tierline/log';
import { Timers } from './timers.ts';

@Global()
@Module({
  providers: [
    {
      provide: Timers,
      inject: [EventLog, Leases],
      useFactory: (log: EventLog, leases: Leases) => new Timers(log, leases, new Logger('Timers')),
    },
  ],
  exports: [Timers],
})
export class TimersModule implements OnApplicationBootstrap, OnModuleDestroy {
  constructor(@Inject(Timers) private readonly timers: Timers) {}

  onApplicationBootstrap(): void {
    this.timers.start();
  }

  /** Before the transports stop: nothing new may become due while groups drain. */
  async onModuleDestroy(): Promise<void> {
    await this.timers.stop();
  }
}
