import { Controller, Get, Header } from '@nestjs/common';
import { EventLogServer } from '@tierline/log';
import { collectDefaultMetrics, register } from 'prom-client';
import { Roles } from './access.guard.ts';

/** What Prometheus scrapes, with a token like every caller: the figures name groups and topics, and count customers' contacts. */
@Controller('metrics')
@Roles('service')
export class MetricsController {
  constructor(private readonly server: EventLogServer) {
    // Twice in one process, as tests start it, would be refused.
    if (!register.getSingleMetric('process_cpu_seconds_total')) collectDefaultMetrics();
  }

  @Get()
  @Header('content-type', register.contentType)
  async metrics(): Promise<string> {
    await this.server.measure();
    return register.metrics();
  }
}
