import { Controller, Get, Put } from '@nestjs/common';
import { Accounts } from '@tierline/channel';
import { Roles, ValidBody } from '@tierline/service';
import { emailConfiguration, type EmailConfiguration, type Mailbox } from './configuration.ts';
import { Mailboxes, type MailboxState } from './imap/mailboxes.service.ts';

@Controller('email/v1')
@Roles('admin')
export class EmailController {
  constructor(
    private readonly accounts: Accounts<Mailbox>,
    private readonly mailboxes: Mailboxes,
  ) {}

  @Get('configuration')
  shown(): unknown {
    return { mailboxes: Object.entries(this.accounts.shown()).map(([ref, settings]) => ({ ref, ...settings })) };
  }

  @Put('configuration')
  async configure(@ValidBody(emailConfiguration) { mailboxes }: EmailConfiguration): Promise<{ changed: number }> {
    return this.accounts.apply(Object.fromEntries(mailboxes.map(({ ref, ...mailbox }) => [ref ?? mailbox.address, mailbox])));
  }

  /** How the reading of each mailbox goes in this process. */
  @Get('mailboxes')
  states(): MailboxState[] {
    return this.mailboxes.states();
  }
}
