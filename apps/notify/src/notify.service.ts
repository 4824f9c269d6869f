import { Injectable } from '@nestjs/common';
import {
  derivedId,
  MessageRequested,
  NoticeSent,
  type AgentChanged,
  type EscalationClosed,
  type EscalationRaised,
  type Event,
  type TicketOpened,
} from '@tierline/events';
import { EventLog, type LogTransaction } from '@tierline/log';
import { notFound } from '@tierline/service';
import { notifyConfiguration, wordsFor, type NotifyConfiguration } from './configuration.ts';
import type { Notice } from './notice.entity.ts';
import { render } from './render.ts';
import { whatToSay, type Occasion } from './what-to-say.ts';
import { whoIsTold, type Person } from './who-is-told.ts';

const NOTHING = notifyConfiguration.parse({});

const ABOUT = { 'clock.warned': 'clock_warned', 'clock.breached': 'clock_breached', 'escalation.raised': 'escalation_raised' } as const;

interface TicketRow {
  ticket_id: string;
  number: number | null;
  subject: string | null;
  assignee_id: string | null;
  owner_ids: string[];
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
    const configuration = await this.configuration(tx);
    await tx.query(
      `INSERT INTO notify.ticket (ticket_id, number, subject) SELECT * FROM unnest($1::uuid[], $2::int[], $3::text[])
       ON CONFLICT (ticket_id) DO UPDATE SET number = excluded.number, subject = excluded.subject`,
      [events.map(({ data }) => data.ticketId), events.map(({ data }) => data.number), events.map(({ data }) => data.subject)],
    );
    for (const event of events) {
      const { data } = event;
      const words = wordsFor(configuration, data.channel, data.brand);
      if (!words || data.silent) continue;
      // In one line: it may stand in the subject of a mail.
      const values = { number: String(data.number), subject: data.subject.replace(/\s+/g, ' '), channel: data.channel, brand: data.brand ?? '' };
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

  async assign(tx: LogTransaction, changes: readonly (readonly [ticketId: string, agentId: string | null])[]): Promise<void> {
    // Of several changes of one ticket in a batch the last one counts.
    const last = new Map(changes);
    await tx.query(
      `INSERT INTO notify.ticket (ticket_id, assignee_id) SELECT * FROM unnest($1::uuid[], $2::text[])
       ON CONFLICT (ticket_id) DO UPDATE SET assignee_id = excluded.assignee_id`,
      [[...last.keys()], [...last.values()]],
    );
  }

  async beginEscalations(tx: LogTransaction, events: readonly EscalationRaised[]): Promise<void> {
    const owned = events.filter(({ data }) => data.ownerId !== undefined);
    await tx.query('INSERT INTO notify.escalation (escalation_id, ticket_id, owner_id) SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[])', [
      owned.map(({ data }) => data.escalationId),
      owned.map(({ data }) => data.ticketId),
      owned.map(({ data }) => data.ownerId),
    ]);
  }

  async endEscalations(tx: LogTransaction, events: readonly EscalationClosed[]): Promise<void> {
    await tx.query('DELETE FROM notify.escalation WHERE escalation_id = ANY($1::uuid[])', [events.map(({ data }) => data.escalationId)]);
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
    const { noticesFrom, unownedTo } = await this.configuration(tx);
    const people = await this.peopleAround(tx, [...tickets.values()].flatMap(ownersOf), unownedTo);
    const sentAt = (await tx.now()).toISOString();
    const notices: Omit<Notice, 'readAt' | 'sentAt'>[] = [];
    for (const event of occasions) {
      const { ticketId } = event.data;
      const about = ABOUT[event.type];
      const ticket = tickets.get(ticketId)!;
      const name = ticket.number === null ? ticketId : `#${ticket.number}`;
      const saying = whatToSay(event);
      for (const { person, as } of whoIsTold(ownersOf(ticket), unownedTo, people)) {
        const noticeId = derivedId(event.id, `notify/${person.agentId}`);
        const text = `Ticket ${name}${ticket.subject === null ? '' : ` (${ticket.subject})`}: ${saying}`;
        const mailed = noticesFrom !== undefined && person.email !== null;
        notices.push({ noticeId, ticketId, toAgentId: person.agentId, as, about, text });
        tx.append(
          NoticeSent,
          ticketId,
          { noticeId, ticketId, toAgentId: person.agentId, as, about, via: mailed ? ['inbox', 'email'] : ['inbox'], sentAt },
          event,
        );
        if (mailed) this.mail(tx, event, { noticeId, ticketId, accountRef: noticesFrom, to: person.email!, subject: `${name}: ${saying}`, text });
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

  /** Marks a notice as read by the agent whom it was sent to. Returns when it was read first. */
  async read(noticeId: string, agentId: string): Promise<Date> {
    return this.log.transaction('notify', async (tx) => {
      const [row] = await tx.query<{ read_at: Date }>(
        'UPDATE notify.notice SET read_at = coalesce(read_at, now()) WHERE notice_id = $1 AND to_agent_id = $2 RETURNING read_at',
        [noticeId, agentId],
      );
      if (!row) throw notFound('notice', noticeId);
      return row.read_at;
    });
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

  /** What is known of the tickets. */
  private async ticketsOf(tx: LogTransaction, occasions: readonly Occasion[]): Promise<Map<string, TicketRow>> {
    const rows = await tx.query<TicketRow>(
      `SELECT wanted.ticket_id, t.number, t.subject, t.assignee_id, ARRAY(SELECT e.owner_id FROM notify.escalation e WHERE e.ticket_id = wanted.ticket_id) AS owner_ids
       FROM unnest($1::uuid[]) AS wanted(ticket_id) LEFT JOIN LATERAL (SELECT * FROM notify.ticket WHERE ticket_id = wanted.ticket_id) t ON true`,
      [[...new Set(occasions.map(({ data }) => data.ticketId))]],
    );
    return new Map(rows.map((row) => [row.ticket_id, row]));
  }

  /** The people named, and their managers. */
  private async peopleAround(tx: LogTransaction, ownerIds: readonly string[], standIns: readonly string[]): Promise<Map<string, Person>> {
    const people = await tx.query<Person>(
      `SELECT DISTINCT p.agent_id AS "agentId", p.email, p.manager_id AS "managerId", p.active FROM notify.person o
       JOIN notify.person p ON p.agent_id IN (o.agent_id, o.manager_id) WHERE o.agent_id = ANY($1::text[])`,
      [[...new Set([...ownerIds, ...standIns])]],
    );
    return new Map(people.map((person) => [person.agentId, person]));
  }
}

const ownersOf = (ticket: TicketRow): string[] => [...(ticket.assignee_id === null ? [] : [ticket.assignee_id]), ...ticket.owner_ids];
