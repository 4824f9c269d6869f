import { Injectable } from '@nestjs/common';
import { derivedId, MessageRequested, NoticeSent, type AgentChanged, type Event, type TicketOpened } from '@tierline/events';
import { EventLog, type LogTransaction } from '@tierline/log';
import { notifyConfiguration, type NotifyConfiguration } from './configuration.ts';
import type { Notice } from './notice.entity.ts';
import { render } from './render.ts';
import { whoIsTold, type Person } from './who-is-told.ts';

const NOTHING = notifyConfiguration.parse({});

/** Something that people should hear about a ticket. */
export interface Occasion {
  event: Event;
  ticketId: string;
  about: Notice['about'];
  /** Continues "Ticket #12 (Subject): …". */
  saying: string;
  /** Who else owns the matter, beside the assignee. */
  ownerId?: string | undefined;
}

@Injectable()
export class NotifyService {
  constructor(private readonly log: EventLog) {}

  /** Puts a configuration in force. Returns 1 when it is another than before. */
  async configure(wanted: NotifyConfiguration): Promise<number> {
    return this.log.transaction('notify', async (tx) => {
      const rows = await tx.query(
        `INSERT INTO notify.configuration (value) VALUES ($1) ON CONFLICT (singleton) DO UPDATE SET value = excluded.value
         WHERE notify.configuration.value <> excluded.value RETURNING 1`,
        [JSON.stringify(wanted)],
      );
      return rows.length;
    });
  }

  /** Remembers the tickets, and thanks the customers whose channel has words for it. */
  async acknowledge(tx: LogTransaction, events: readonly TicketOpened[]): Promise<void> {
    const { acknowledgements } = await this.configuration(tx);
    await tx.query(`INSERT INTO notify.ticket (ticket_id, number, subject) SELECT * FROM unnest($1::uuid[], $2::int[], $3::text[]) ON CONFLICT DO NOTHING`, [
      events.map(({ data }) => data.ticketId),
      events.map(({ data }) => data.number),
      events.map(({ data }) => data.subject),
    ]);
    for (const event of events) {
      const { data } = event;
      const words = acknowledgements[data.channel];
      if (!words || data.silent) continue;
      const values = { number: String(data.number), subject: data.subject, channel: data.channel, brand: data.brand ?? '' };
      tx.append(
        MessageRequested,
        data.conversationKey,
        {
          messageId: derivedId(event.id, 'notify/acknowledgement'),
          ticketId: data.ticketId,
          channel: data.channel,
          accountRef: data.accountRef,
          conversationKey: data.conversationKey,
          kind: 'acknowledgement',
          automatic: true,
          to: data.replyTo,
          ...(words.subject !== undefined && { subject: render(words.subject, values) }),
          text: render(words.text, values),
          attachments: [],
        },
        event,
      );
    }
  }

  async assign(tx: LogTransaction, changes: readonly { ticketId: string; agentId: string | null }[]): Promise<void> {
    // Of several changes of one ticket in a batch the last one counts.
    const last = new Map(changes.map(({ ticketId, agentId }) => [ticketId, agentId]));
    await tx.query(
      `UPDATE notify.ticket t SET assignee_id = n.agent_id FROM unnest($1::uuid[], $2::text[]) AS n(ticket_id, agent_id) WHERE t.ticket_id = n.ticket_id`,
      [[...last.keys()], [...last.values()]],
    );
  }

  async remember(tx: LogTransaction, events: readonly AgentChanged[]): Promise<void> {
    const last = [...new Map(events.map(({ data }) => [data.agentId, data])).values()];
    await tx.query(
      `INSERT INTO notify.person (agent_id, email, manager_id, active) SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bool[])
       ON CONFLICT (agent_id) DO UPDATE SET email = excluded.email, manager_id = excluded.manager_id, active = excluded.active`,
      [
        last.map((agent) => agent.agentId),
        last.map((agent) => agent.email ?? null),
        last.map((agent) => agent.managerId ?? null),
        last.map((agent) => agent.active),
      ],
    );
  }

  /** Tells owners and managers: always in their inbox, by mail too where there is an address and an account to send from. Once for each occasion and person. */
  async tell(tx: LogTransaction, occasions: readonly Occasion[]): Promise<void> {
    const tickets = await this.ticketsOf(tx, occasions);
    const people = await this.peopleAround(tx, [...occasions.map(({ ownerId }) => ownerId), ...[...tickets.values()].map((ticket) => ticket.assignee_id)]);
    const { noticesFrom } = await this.configuration(tx);
    const sentAt = (await tx.now()).toISOString();
    const notices: Omit<Notice, 'readAt' | 'sentAt'>[] = [];
    for (const { event, ticketId, about, saying, ownerId } of occasions) {
      const ticket = tickets.get(ticketId);
      if (!ticket) continue;
      for (const { person, as } of whoIsTold([ticket.assignee_id, ownerId], people)) {
        const noticeId = derivedId(event.id, `notify/${person.agentId}`);
        const text = `Ticket #${ticket.number} (${ticket.subject}): ${saying}`;
        const mailed = noticesFrom !== undefined && person.email !== null;
        notices.push({ noticeId, ticketId, toAgentId: person.agentId, as, about, text });
        tx.append(
          NoticeSent,
          ticketId,
          { noticeId, ticketId, toAgentId: person.agentId, as, about, via: mailed ? ['inbox', 'email'] : ['inbox'], sentAt },
          event,
        );
        if (mailed) this.mail(tx, event, { noticeId, ticketId, accountRef: noticesFrom, to: person.email!, subject: `#${ticket.number}: ${saying}`, text });
      }
    }
    await tx.query(
      `INSERT INTO notify.notice (notice_id, ticket_id, to_agent_id, told_as, about, text, sent_at)
       SELECT *, now() FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[])`,
      [
        notices.map((notice) => notice.noticeId),
        notices.map((notice) => notice.ticketId),
        notices.map((notice) => notice.toAgentId),
        notices.map((notice) => notice.as),
        notices.map((notice) => notice.about),
        notices.map((notice) => notice.text),
      ],
    );
  }

  private mail(
    tx: LogTransaction,
    event: Event,
    notice: { noticeId: string; ticketId: string; accountRef: string; to: string; subject: string; text: string },
  ): void {
    const conversationKey = `notice:${notice.to}`;
    tx.append(
      MessageRequested,
      conversationKey,
      {
        messageId: notice.noticeId,
        ticketId: notice.ticketId,
        channel: 'email',
        accountRef: notice.accountRef,
        conversationKey,
        kind: 'notice',
        automatic: true,
        to: { type: 'email', value: notice.to, normalized: notice.to.toLowerCase(), verified: true },
        subject: notice.subject,
        text: notice.text,
        attachments: [],
      },
      event,
    );
  }

  private async configuration(tx: LogTransaction): Promise<NotifyConfiguration> {
    const [row] = await tx.query<{ value: NotifyConfiguration }>('SELECT value FROM notify.configuration');
    return row?.value ?? NOTHING;
  }

  private async ticketsOf(
    tx: LogTransaction,
    occasions: readonly Occasion[],
  ): Promise<Map<string, { number: number; subject: string; assignee_id: string | null }>> {
    const rows = await tx.query<{ ticket_id: string; number: number; subject: string; assignee_id: string | null }>(
      'SELECT ticket_id, number, subject, assignee_id FROM notify.ticket WHERE ticket_id = ANY($1::uuid[])',
      [occasions.map(({ ticketId }) => ticketId)],
    );
    return new Map(rows.map((row) => [row.ticket_id, row]));
  }

  /** The people named, and their managers. */
  private async peopleAround(tx: LogTransaction, ids: readonly (string | null | undefined)[]): Promise<Map<string, Person>> {
    const people = await tx.query<Person>(
      `SELECT DISTINCT p.agent_id AS "agentId", p.email, p.manager_id AS "managerId", p.active FROM notify.person o
       JOIN notify.person p ON p.agent_id IN (o.agent_id, o.manager_id) WHERE o.agent_id = ANY($1::text[])`,
      [[...new Set(ids.filter((id) => id))]],
    );
    return new Map(people.map((person) => [person.agentId, person]));
  }
}
