import { isDeepStrictEqual } from 'node:util';
import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Accounts, Intake } from '@tierline/channel';
import { EventLog, Leases } from '@tierline/log';
import { loadConfig } from '@tierline/service';
import { receiverConfig, type Mailbox } from '../configuration.ts';
import { ConnectionGate } from './connection-gate.ts';
import { MailboxReader, type MailboxParts, type MailboxState } from './mailbox.service.ts';

export type { MailboxState } from './mailbox.service.ts';

/** Has a reader for every mailbox that is read by IMAP, and replaces it when its settings change. */
@Injectable()
export class Mailboxes implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly readers = new Map<string, { imap: Mailbox['imap']; reader: MailboxReader }>();
  private readonly parts: MailboxParts;
  private readonly logger = new Logger('Mailboxes');
  private following = Promise.resolve();
  private stopping = false;

  constructor(
    private readonly accounts: Accounts<Mailbox>,
    intake: Intake,
    log: EventLog,
    leases: Leases,
  ) {
    this.parts = { intake, log, leases, gate: new ConnectionGate(), logger: this.logger, maxBytes: loadConfig(receiverConfig).MAIL_MAX_BYTES };
  }

  states(): MailboxState[] {
    return [...this.readers.values()].map(({ reader }) => reader.state);
  }

  onApplicationBootstrap(): void {
    this.accounts.onChange(() => this.follow());
    this.follow();
  }

  async onModuleDestroy(): Promise<void> {
    this.stopping = true;
    await this.following;
    await Promise.all([...this.readers.values()].map(({ reader }) => reader.stop()));
  }

  /** One change after the other: a mailbox must not get two readers. */
  private follow(): void {
    this.following = this.following.then(() => this.adjust()).catch((error: unknown) => this.logger.error(`mailboxes: ${String(error)}`));
  }

  private async adjust(): Promise<void> {
    if (this.stopping) return;
    const wanted = this.accounts.all();
    const outdated = [...this.readers].filter(([ref, { imap }]) => !isDeepStrictEqual(imap, wanted.get(ref)?.imap));
    await Promise.all(outdated.map(([, { reader }]) => reader.stop()));
    for (const [ref] of outdated) this.readers.delete(ref);
    for (const [ref, { imap }] of wanted) {
      if (!imap || this.readers.has(ref)) continue;
      const reader = new MailboxReader(ref, imap, this.parts);
      this.readers.set(ref, { imap, reader });
      reader.start();
    }
  }
}
