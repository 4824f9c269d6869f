import { Controller, Put } from '@nestjs/common';
import { Roles, ValidBody } from '@tierline/service';
import { ticketsConfiguration, type TicketsConfiguration } from './configuration.ts';
import { ConfigurationService } from './configuration.service.ts';

@Roles('admin')
@Controller('tickets/v1/configuration')
export class ConfigurationController {
  constructor(private readonly configuration: ConfigurationService) {}

  @Put()
  async apply(@ValidBody(ticketsConfiguration) body: TicketsConfiguration): Promise<{ changed: number }> {
    return { changed: await this.configuration.apply(body) };
  }
}
