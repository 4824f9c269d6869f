import { Controller, Get, Post, Put, Req, Res } from '@nestjs/common';
import { Accounts, Webhooks } from '@tierline/channel';
import { Public, Roles, ValidBody } from '@tierline/service';
import type { Request, Response } from 'express';
import { socialConfiguration, type SocialConfiguration } from './configuration.ts';

@Controller('social/v1')
export class SocialController {
  constructor(
    private readonly webhooks: Webhooks,
    private readonly accounts: Accounts,
  ) {}

  /** X's challenge. */
  @Public()
  @Get('x/webhook')
  async challenge(@Req() request: Request, @Res() response: Response): Promise<void> {
    await this.webhooks.handle(request, response);
  }

  /** For the webhook of the app on X. Signed by X. */
  @Public()
  @Post('x/webhook')
  async receive(@Req() request: Request, @Res() response: Response): Promise<void> {
    await this.webhooks.handle(request, response);
  }

  @Roles('admin')
  @Get('configuration')
  shown(): unknown {
    return { x: Object.entries(this.accounts.shown()).map(([account, settings]) => ({ account, ...settings })) };
  }

  @Roles('admin')
  @Put('configuration')
  async configure(@ValidBody(socialConfiguration) { x }: SocialConfiguration): Promise<{ changed: number }> {
    return this.accounts.apply(Object.fromEntries(x.map(({ account, ...settings }) => [account, settings])));
  }
}
