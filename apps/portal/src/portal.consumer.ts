import { Controller } from '@nestjs/common';
import { MessageRequested, MessageSent, TicketChanged, TicketMerged, TicketOpened, TicketReplied } from '@tierline/events';
import { Consumes, On, type LogTransaction } from '@tierline/log';

const CHANNEL = 'portal';

/** Follows what becomes of the portal's contacts, and keeps the answers. */
@Controller()
@Consumes('portal')
export class PortalConsumer {
  @On(TicketOpened)
  async onOpened(events: TicketOpened[], tx: LogTransaction): Promise<void> {
    const ours = events.filter(({ data }) => data.channel === CHANNEL).map(({ data }) => data);
    if (ours.length === 0) return;
    await tx.query(
      `INSERT INTO portal.ticket (ticket_id, number, status) SELECT * FROM unnest($1::uuid[], $2::int[], $3::text[])
       ON CONFLICT (ticket_id) DO UPDATE SET number = excluded.number, status = excluded.status`,
      [ours.map(({ ticketId }) => ticketId), ours.map(({ number }) => number), ours.map(({ status }) => status)],
    );
    await this.follow(ours, tx);
  }

  @On(TicketReplied)
  async onReplied(events: TicketReplied[], tx: LogTransaction): Promise<void> {
    const ours = events.flatMap(({ data: { contactId, ticketId, channel } }) =>
      channel === CHANNEL && contactId !== undefined ? [{ contactId, ticketId }] : [],
    );
    if (ours.length === 0) return;
    await tx.query(`INSERT INTO portal.ticket (ticket_id) SELECT DISTINCT unnest($1::uuid[]) ON CONFLICT DO NOTHING`, [ours.map(({ ticketId }) => ticketId)]);
    await this.follow(ours, tx);
  }

  @On(TicketChanged)
  async onChanged(events: TicketChanged[], tx: LogTransaction): Promise<void> {
    // The last of several changes of one ticket counts.
    const status = new Map(events.flatMap(({ data }) => (data.status ? [[data.ticketId, data.status.to] as const] : [])));
    if (status.size === 0) return;
    await tx.query(`UPDATE portal.ticket t SET status = n.status FROM unnest($1::uuid[], $2::text[]) AS n(ticket_id, status) WHERE t.ticket_id = n.ticket_id`, [
      [...status.keys()],
      [...status.values()],
    ]);
  }

  @On(TicketMerged)
  async onMerged(events: TicketMerged[], tx: LogTransaction): Promise<void> {
    await tx.query(
      `UPDATE portal.ticket t SET merged_into = n.into_id FROM unnest($1::uuid[], $2::uuid[]) AS n(ticket_id, into_id) WHERE t.ticket_id = n.ticket_id`,
      [events.map(({ data }) => data.ticketId), events.map(({ data }) => data.intoTicketId)],
    );
  }

  /** An answer is sent when it can be fetched. */
  @On(MessageRequested)
  async onRequested(events: MessageRequested[], tx: LogTransaction): Promise<void> {
    const ours = events.filter(({ data }) => data.channel === CHANNEL);
    if (ours.length === 0) return;
    const kept = await tx.query<{ message_id: string }>(
      `INSERT INTO portal.message (message_id, ticket_id, kind, subject, text, attachments)
       SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::jsonb[]) ON CONFLICT DO NOTHING RETURNING message_id`,
      [
        ours.map(({ data }) => data.messageId),
        ours.map(({ data }) => data.ticketId),
        ours.map(({ data }) => data.kind),
        ours.map(({ data }) => data.subject ?? null),
        ours.map(({ data }) => data.text),
        ours.map(({ data }) => JSON.stringify(data.attachments)),
      ],
    );
    const fresh = new Set(kept.map((row) => row.message_id));
    const sentAt = (await tx.now()).toISOString();
    for (const event of ours) {
      const { messageId, ticketId, channel, accountRef, conversationKey } = event.data;
      if (fresh.delete(messageId)) tx.append(MessageSent, conversationKey, { messageId, ticketId, channel, accountRef, externalId: messageId, sentAt }, event);
    }
  }

  private async follow(contacts: readonly { contactId: string; ticketId: string }[], tx: LogTransaction): Promise<void> {
    await tx.query(`INSERT INTO portal.followed (contact_id, ticket_id) SELECT * FROM unnest($1::uuid[], $2::uuid[]) ON CONFLICT DO NOTHING`, [
      contacts.map(({ contactId }) => contactId),
      contacts.map(({ ticketId }) => ticketId),
    ]);
  }
}
