import { Controller, Inject } from '@nestjs/common';
import { Accounts, Delivery } from '@tierline/channel';
import { MessageFailed, MessageRequested } from '@tierline/events';
import { Consumes, On, type LogTransaction } from '@tierline/log';
import { PROCESS_CONFIG, type ProcessConfig } from '@tierline/service';
import type { Mailbox } from './configuration.ts';
import { normalizeAddress } from './mail/addresses.ts';
import { whyNotAnswer } from './may-answer.ts';
import { prepareMails } from './thread.service.ts';

@Controller()
@Consumes('email')
export class EmailConsumer {
  constructor(
    private readonly delivery: Delivery,
    private readonly accounts: Accounts<Mailbox>,
    @Inject(PROCESS_CONFIG) private readonly config: ProcessConfig,
  ) {}

  @On(MessageRequested)
  async onRequested(events: MessageRequested[], tx: LogTransaction): Promise<void> {
    const mails = events.filter(({ data }) => data.channel === 'email');
    if (mails.length === 0) return;
    const refused = await this.refusals(mails, tx);
    const failedAt = (await tx.now()).toISOString();
    for (const event of mails) {
      const reason = refused.get(event.data.messageId);
      if (reason === undefined) continue;
      const { messageId, ticketId, channel, accountRef, conversationKey } = event.data;
      tx.append(MessageFailed, conversationKey, { messageId, ticketId, channel, accountRef, outcome: 'permanent', reason, failedAt }, event);
    }
    const wanted = mails.filter(({ data }) => !refused.has(data.messageId));
    const prepared = await prepareMails(
      tx,
      wanted.map(({ data }) => data),
      (accountRef) => this.accounts.get(accountRef)?.address.split('@').at(-1) ?? 'localhost',
      this.config.TIERLINE_SECRET!,
    );
    await this.delivery.enqueue(wanted, tx, prepared);
  }

  /** The automatic mails that must not be sent, and why; the others are counted. */
  private async refusals(mails: readonly MessageRequested[], tx: LogTransaction): Promise<Map<string, string>> {
    const automatic = mails.filter(({ data }) => data.automatic && data.kind !== 'notice');
    if (automatic.length === 0) return new Map();
    const recipients = [...new Set(automatic.map(({ data }) => normalizeAddress(data.to.value)))];
    const rows = await tx.query<{ recipient: string; answers: number }>(
      `SELECT recipient, count(*)::int AS answers FROM email.automatic_answer
       WHERE recipient = ANY($1::text[]) AND answered_at > now() - interval '1 hour' GROUP BY recipient`,
      [recipients],
    );
    const answers = new Map(rows.map((row) => [row.recipient, row.answers]));
    const own = new Set([...this.accounts.all().values()].flatMap(({ address, aliases }) => [address, ...aliases]));
    const refused = new Map<string, string>();
    const counted: string[] = [];
    for (const { data } of automatic) {
      const recipient = normalizeAddress(data.to.value);
      const reason = whyNotAnswer(recipient, own, answers.get(recipient) ?? 0);
      if (reason === undefined) {
        answers.set(recipient, (answers.get(recipient) ?? 0) + 1);
        counted.push(recipient);
      } else refused.set(data.messageId, reason);
    }
    await tx.query(`INSERT INTO email.automatic_answer (recipient) SELECT unnest($1::text[])`, [counted]);
    await tx.query(`DELETE FROM email.automatic_answer WHERE answered_at < now() - interval '1 hour'`);
    return refused;
  }
}
