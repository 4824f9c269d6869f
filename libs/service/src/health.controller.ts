import { Controller, Get } from '@nestjs/common';
import { EventLogServer } from '@tierline/log';
import { DataSource } from 'typeorm';
import { Public } from './access.guard.ts';
import { DomainError } from './errors.ts';

@Public()
@Controller()
export class HealthController {
  private draining = false;

  constructor(
    private readonly dataSource: DataSource,
    private readonly server: EventLogServer,
  ) {}

  /** Fails when only a restart helps: a group that stands still at a hole. */
  @Get('live')
  live(): { status: 'ok' } {
    const stalled = this.server.stalled();
    if (stalled.length > 0) throw new DomainError(503, 'log.stalled', 'a group stands still', { stalled });
    return { status: 'ok' };
  }

  /** Fails while draining or without a database. Not without Kafka: the log keeps what cannot be shipped yet. */
  @Get('ready')
  async ready(): Promise<{ status: 'ok' }> {
    if (this.draining) throw new DomainError(503, 'process.draining', 'this process is stopping');
    await this.dataSource.query('SELECT 1');
    return { status: 'ok' };
  }

  drain(): void {
    this.draining = true;
  }
}
