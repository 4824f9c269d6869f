import { Controller, Get, Put } from '@nestjs/common';
import { Accounts } from '@tierline/channel';
import { Roles, ValidBody } from '@tierline/service';
import { chatConfiguration, type ChatConfiguration, type ChatSite } from './configuration.ts';

@Controller('chat/v1/configuration')
@Roles('admin')
export class ChatController {
  constructor(private readonly accounts: Accounts<ChatSite>) {}

  @Get()
  shown(): ChatConfiguration {
    return { sites: [...this.accounts.all()].map(([name, site]) => ({ name, ...site })) };
  }

  @Put()
  async configure(@ValidBody(chatConfiguration) { sites }: ChatConfiguration): Promise<{ changed: number }> {
    return this.accounts.apply(Object.fromEntries(sites.map(({ name, ...site }) => [name, site])));
  }
}
