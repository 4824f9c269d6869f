import { Module, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Accounts, channelMigrations, ChannelModule } from '@tierline/channel';
import type { ServiceDefinition } from '@tierline/service';
import { mailbox, type Mailbox } from './configuration.ts';
import { EmailAdapter } from './email.adapter.ts';
import { EmailConsumer } from './email.consumer.ts';
import { EmailController } from './email.controller.ts';
import { Mailboxes } from './imap/mailboxes.service.ts';
import { MailReader } from './mail/mail-reader.service.ts';
import { CreateEmail } from './migrations/create-email.ts';
import { MailReceiver } from './smtp/receiver.service.ts';
import { placeMails } from './thread.service.ts';

export { emailConfiguration } from './configuration.ts';
export { parseMailFile } from './parse-mail-file.ts';

const reader = new MailReader();

@Module({
  imports: [
    ChannelModule.forService({
      service: 'email',
      normalize: 'deferred',
      settings: mailbox,
      adapter: ({ accounts, blobs, secret }) => new EmailAdapter(accounts, reader, blobs, secret),
      thread: placeMails,
    }),
  ],
  controllers: [EmailController, EmailConsumer],
  providers: [Mailboxes, MailReceiver],
})
export class EmailModule implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(private readonly accounts: Accounts<Mailbox>) {}

  onApplicationBootstrap(): void {
    if (this.accounts.all().size > 0) reader.warm();
  }

  async onApplicationShutdown(): Promise<void> {
    await reader.stop();
  }
}

/** Mail ⇄ contacts: IMAP, SMTP and LMTP in, SMTP out. */
export const emailService: ServiceDefinition = { name: 'email', module: EmailModule, entities: [], migrations: [...channelMigrations('email'), CreateEmail] };
