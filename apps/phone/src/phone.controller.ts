import { Controller, Get, Post, Put, Req, Res } from '@nestjs/common';
import { Accounts, Webhooks } from '@tierline/channel';
import { Public, Roles, ValidBody } from '@tierline/service';
import type { Request, Response } from 'express';
import { phoneConfiguration, type PhoneConfiguration } from './configuration.ts';

@Controller('phone/v1')
export class PhoneController {
  constructor(
    private readonly webhooks: Webhooks,
    private readonly accounts: Accounts,
  ) {}

  /** For the settings of a number at Twilio: a message comes in, a call comes in, the status of a call changes. Signed by Twilio. */
  @Public()
  @Post(['twilio/sms', 'twilio/voice', 'twilio/status'])
  async receive(@Req() request: Request, @Res() response: Response): Promise<void> {
    await this.webhooks.handle(request, response);
  }

  @Roles('admin')
  @Get('configuration')
  shown(): unknown {
    return { numbers: Object.entries(this.accounts.shown()).map(([number, settings]) => ({ number, ...settings })) };
  }

  @Roles('admin')
  @Put('configuration')
  async configure(@ValidBody(phoneConfiguration) { numbers }: PhoneConfiguration): Promise<{ changed: number }> {
    return this.accounts.apply(Object.fromEntries(numbers.map(({ number, ...account }) => [number, account])));
  }
}
