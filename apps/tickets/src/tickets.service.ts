import { Injectable } from '@nestjs/common';
import {
  MessageRequested,
  newId,
  TicketMerged,
  TicketReplied,
  type Actor,
  type Party,
  type TicketCloseDue,
  type TicketPriority,
  type TicketStatus,
} from '@tierline/events';
import { EventLog, type LogTransaction } from '@tierline/log';
import { conflict, invalid, notFound } from '@tierline/service';
import { Timers } from '@tierline/timers';
import { In, IsNull, LessThan, type FindOptionsWhere } from 'typeorm';
import { z } from 'zod';
import { AnsweredRequestService, type Asker } from './answered-request.service.ts';
import { ChangesService, closeTimer, type Changes } from './changes.service.ts';
import { Customer } from './customer.entity.ts';
import { previewOf } from './how-to-open.ts';
import { insertMessages, Message } from './message.entity.ts';
import { mayBecome, move } from './next-status.ts';
import { lockTickets, saveTickets, Ticket } from './ticket.entity.ts';
import { TimelineService } from './timeline.service.ts';

/** What people call a ticket by; no more digits than a number of JavaScript holds. */
const NUMBER = /^[1-9]\d{0,14}$/;

/** A ticket as the API shows it. */
export type TicketView = Omit<Ticket, 'customerId'> & { customer: { id: string; name: string | null } };

export interface TicketFilter {
  status?: readonly TicketStatus[] | undefined;
  /** An agent, or `none` for tickets that nobody has. */
  assignee?: string | undefined;
  customer?: string | undefined;
  /** Only tickets with a lower number. */
  before?: number | undefined;
}

export interface ReplyText {
  text: string;
  html?: string | undefined;
  /** False for a note that only agents see. */
  public: boolean;
}

export interface WantedChanges {
  status?: TicketStatus | undefined;
  priority?: TicketPriority | undefined;
  labels?: string[] | undefined;
}

/** What agents do with tickets, and what time does. */
@Injectable()
export class TicketsService {
  constructor(
    private readonly log: EventLog,
    private readonly changes: ChangesService,
    private readonly timeline: TimelineService,
    private readonly answered: AnsweredRequestService,
    private readonly timers: Timers,
  ) {}

  /** The newest tickets first. */
  async list({ status, assignee, customer, before }: TicketFilter, limit: number): Promise<TicketView[]> {
    const where: FindOptionsWhere<Ticket> = {};
    if (status) where.status = In([...status]);
    if (assignee !== undefined) where.assignee = assignee === 'none' ? IsNull() : assignee;
    if (customer !== undefined) where.customerId = customer;
    if (before !== undefined) where.number = LessThan(before);
    return this.view(await this.log.dataSource.manager.find(Ticket, { where, order: { number: 'DESC' }, take: limit }));
  }

  async get(idOrNumber: string): Promise<TicketView> {
    const by = isUuid(idOrNumber) ? { id: idOrNumber } : NUMBER.test(idOrNumber) ? { number: Number(idOrNumber) } : null;
    const ticket = by && (await this.log.dataSource.manager.findOneBy(Ticket, by));
    if (!ticket) throw notFound('ticket', idOrNumber);
    return (await this.view([ticket]))[0]!;
  }

  /** One message in full. */
  async message(ticketId: string, id: string): Promise<Message> {
    const message = isUuid(ticketId) && isUuid(id) ? await this.log.dataSource.manager.findOneBy(Message, { ticketId, id }) : null;
    if (!message) throw notFound('message', id);
    return message;
  }

  /** An agent answers the customer, on the channel and in the conversation of what the customer wrote last, or leaves a note for other agents. */
  async reply(id: string, reply: ReplyText, asker: Asker): Promise<{ messageId: string }> {
    return this.write(asker, { id, reply }, async (tx) => {
      const ticket = changeable(await lockTickets(tx, [id].filter(isUuid)), id);
      const at = await tx.now();
      const by: Actor = { kind: 'agent', id: asker.subject };
      const messageId = newId();
      const last = await this.lastHeard(tx, ticket);
      await insertMessages(tx, [
        {
          id: messageId,
          ticketId: ticket.id,
          kind: 'message',
          channel: last.channel,
          accountRef: last.accountRef,
          conversationKey: last.conversationKey,
          byKind: by.kind,
          byId: asker.subject,
          public: reply.public,
          automatic: false,
          subject: null,
          text: reply.text,
          html: reply.html ?? null,
          revision: 0,
          occurredAt: at,
          at,
          delivery: reply.public ? 'requested' : null,
        },
      ]);
      const said = { messageId, channel: last.channel, preview: previewOf(reply), public: reply.public, automatic: false };
      tx.append(TicketReplied, ticket.id, { ticketId: ticket.id, ...said, by, occurredAt: at.toISOString() });
      if (reply.public) {
        tx.append(MessageRequested, last.conversationKey, {
          messageId,
          ticketId: ticket.id,
          channel: last.channel,
          accountRef: last.accountRef,
          conversationKey: last.conversationKey,
          kind: 'reply',
          automatic: false,
          to: last.replyTo ?? last.sender!,
          subject: last.subject === null ? undefined : `Re: ${last.subject.replace(/^(re:\s*)+/i, '')}`,
          text: reply.text,
          html: reply.html,
          attachments: [],
        });
        // Whoever answers has looked at it.
        if (ticket.status === 'new') await this.change(tx, ticket, { status: 'open' }, by);
      }
      return { messageId };
    });
  }

  /** An agent changes fields of a ticket. What is so already is no change. */
  async patch(id: string, wanted: WantedChanges, subject: string): Promise<TicketView> {
    await this.log.transaction('tickets', async (tx) => {
      const ticket = changeable(await lockTickets(tx, [id].filter(isUuid)), id);
      await this.change(tx, ticket, wanted, { kind: 'agent', id: subject });
    });
    return this.get(id);
  }

  /**
   * Makes two tickets one: the messages, conversations and customers of the first go over to the second, and the first is closed.
   * What is still written to the first reaches the second.
   */
  async merge(id: string, intoTicketId: string, asker: Asker): Promise<{ ticketId: string; intoTicketId: string }> {
    return this.write(asker, { id, intoTicketId }, async (tx) => {
      const tickets = await lockTickets(tx, [id, intoTicketId].filter(isUuid));
      const [source, target] = [changeable(tickets, id), changeable(tickets, intoTicketId)];
      if (source.id === target.id) throw invalid('ticket.merge_itself', 'a ticket cannot be merged into itself');
      const at = await tx.now();
      const by: Actor = { kind: 'agent', id: asker.subject };
      move(source, 'closed', at);
      source.mergedInto = target.id;
      target.participants = [...new Set([...target.participants, ...source.participants])];
      source.changedAt = target.changedAt = at;
      await saveTickets(tx, [source, target]);
      await tx.query('UPDATE tickets.ticket SET merged_into = $2 WHERE merged_into = $1', [source.id, target.id]);
      await tx.query(
        `UPDATE tickets.conversation SET ticket_id = $2 WHERE ticket_id = $1 AND key IN (SELECT conversation_key FROM tickets.message WHERE ticket_id = $1)`,
        [source.id, target.id],
      );
      await tx.query('UPDATE tickets.message SET ticket_id = $2 WHERE ticket_id = $1', [source.id, target.id]);
      this.timers.cancel(tx, closeTimer(source.id));
      const merged = { ticketId: source.id, intoTicketId: target.id };
      for (const ticket of [source, target]) {
        tx.append(TicketMerged, ticket.id, { ...merged, by, occurredAt: at.toISOString() });
        this.timeline.record(tx, { ticketId: ticket.id, at, type: TicketMerged.type, data: { ...merged, by } });
      }
      return merged;
    });
  }

  /** Closes the tickets that have been solved all the time since the timer was armed. */
  async close(events: readonly TicketCloseDue[], tx: LogTransaction): Promise<void> {
    const tickets = new Map(
      (
        await lockTickets(
          tx,
          events.map(({ data }) => data.ticketId),
        )
      ).map((ticket) => [ticket.id, ticket]),
    );
    const at = await tx.now();
    const closed: Ticket[] = [];
    for (const event of events) {
      const ticket = tickets.get(event.data.ticketId);
      if (ticket?.status !== 'solved' || ticket.solvedAt?.toISOString() !== event.data.solvedAt) continue;
      move(ticket, 'closed', at);
      ticket.changedAt = at;
      closed.push(ticket);
      await this.changes.announce(tx, ticket, { status: { from: 'solved', to: 'closed' } }, { kind: 'system' }, event);
    }
    await saveTickets(tx, closed);
  }

  private async write<T extends object>(asker: Asker, request: unknown, work: (tx: LogTransaction) => Promise<T>): Promise<T> {
    return this.log.transaction('tickets', (tx) => this.answered.once(tx, asker, request, () => work(tx)));
  }

  private async change(tx: LogTransaction, ticket: Ticket, { status, priority, labels }: WantedChanges, by: Actor): Promise<void> {
    const changes: Changes = {};
    const at = await tx.now();
    if (status && status !== ticket.status) {
      if (!mayBecome(ticket.status, status)) throw conflict('ticket.transition', `a ticket that is ${ticket.status} cannot become ${status}`);
      changes.status = { from: ticket.status, to: status };
      move(ticket, status, at);
    }
    if (priority && priority !== ticket.priority) {
      changes.priority = { from: ticket.priority, to: priority };
      ticket.priority = priority;
    }
    const distinct = labels && [...new Set(labels)];
    if (distinct && distinct.join('\n') !== ticket.labels.join('\n')) {
      changes.labels = { from: ticket.labels, to: distinct };
      ticket.labels = distinct;
    }
    if (Object.keys(changes).length === 0) return;
    ticket.changedAt = at;
    await saveTickets(tx, [ticket]);
    await this.changes.announce(tx, ticket, changes, by);
  }

  /** The last message of a customer, rather one that no machine wrote: where an answer goes. */
  private async lastHeard(
    tx: LogTransaction,
    ticket: Ticket,
  ): Promise<Pick<Message, 'channel' | 'accountRef' | 'conversationKey' | 'sender' | 'replyTo' | 'subject'>> {
    const [last] = await tx.query<Pick<Message, 'channel' | 'accountRef' | 'conversationKey' | 'subject'> & { sender: Party; replyTo: Party | null }>(
      `SELECT channel, account_ref AS "accountRef", conversation_key AS "conversationKey", sender, reply_to AS "replyTo", subject FROM tickets.message
       WHERE ticket_id = $1 AND by_kind = 'customer' AND by_id IS NOT NULL ORDER BY automatic, at DESC, seq DESC LIMIT 1`,
      [ticket.id],
    );
    return last!;
  }

  private async view(tickets: readonly Ticket[]): Promise<TicketView[]> {
    const customers = await this.log.dataSource.manager.findBy(Customer, { id: In([...new Set(tickets.map(({ customerId }) => customerId))]) });
    const names = new Map(customers.map(({ id, name }) => [id, name]));
    return tickets.map(({ customerId, ...ticket }) => ({ ...ticket, customer: { id: customerId, name: names.get(customerId) ?? null } }));
  }
}

function isUuid(id: string): boolean {
  return z.uuid().safeParse(id).success;
}

/** The ticket, for changing it. Throws when it does not exist or is over. */
function changeable(tickets: readonly Ticket[], id: string): Ticket {
  const ticket = tickets.find((locked) => locked.id === id.toLowerCase());
  if (!ticket) throw notFound('ticket', id);
  if (ticket.mergedInto) throw conflict('ticket.merged', `ticket ${ticket.number} was merged into ${ticket.mergedInto}`);
  if (ticket.status === 'closed') throw conflict('ticket.closed', `ticket ${ticket.number} is closed; a new one can follow it up`);
  return ticket;
}
