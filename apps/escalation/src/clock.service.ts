import { Injectable } from '@nestjs/common';
import { ClockDue, type Event, type TicketOpened } from '@tierline/events';
import { EventLog, type LogTransaction } from '@tierline/log';
import { Timers } from '@tierline/timers';
import { PastNeeded } from './clock.ts';
import { clockIdOf, eventOf, type ClockChange } from './clock-changes.ts';
import { EscalationService, type Occasion } from './escalation.service.ts';
import { assignedFacts, factsOf, heedsAssignment, openingOf, type TicketEvent } from './facts-of.ts';
import { fold, lookAt, nextPoint, open, type Folded } from './fold-ticket.ts';
import { PolicyService } from './policy.service.ts';
import { StaffService } from './staff.service.ts';
import type { Ticket } from './ticket.ts';
import { isDone, type Fact } from './ticket-clocks.ts';
import { TicketService } from './ticket.service.ts';

/** So many tickets are brought under the newest policies in one transaction. */
const PAGE = 200;
const LEAST_ID = '00000000-0000-0000-0000-000000000000';

/** What bringing the open tickets under the newest policies and calendars changes. */
export interface Adoption {
  tickets: number;
  clocks: number;
  breached: number;
  revoked: number;
}

/** The tickets of one transaction, and what has come of them. */
interface Work {
  readonly tx: LogTransaction;
  readonly tickets: Map<string, Ticket>;
  /** Those that changed, with the last event that changed them. */
  readonly touched: Map<string, Event | undefined>;
  readonly occasions: Occasion[];
  readonly left: { ticketId: string; before: number; facts: readonly Fact[] }[];
}

const workOn = (tx: LogTransaction, tickets: Map<string, Ticket>): Work => ({ tx, tickets, touched: new Map(), occasions: [], left: [] });

const timerOf = (ticketId: string): string => `clocks:${ticketId}`;

/** Keeps the clocks: what the fold says is saved, told, and timed. */
@Injectable()
export class ClockService {
  constructor(
    private readonly log: EventLog,
    private readonly policies: PolicyService,
    private readonly tickets: TicketService,
    private readonly escalations: EscalationService,
    private readonly staff: StaffService,
    private readonly timers: Timers,
  ) {}

  async start(tx: LogTransaction, events: readonly TicketOpened[]): Promise<void> {
    const { version } = await this.policies.inForce(tx);
    const work = workOn(tx, new Map());
    for (const event of events) {
      const { ticketId, status, priority, tier } = event.data;
      const folded = open(openingOf(event, version), this.policies.book);
      const ticket = { ticketId, status, priority, tier, tierPath: [tier], clocks: folded.ticket, armed: null, epoch: 0, pastFacts: 0 };
      this.take(work, ticket, folded, event);
    }
    const heeding = [...work.tickets.values()].filter(({ clocks }) => heedsAssignment(clocks.head, this.policies.book));
    for (const { ticketId, team, assignedAt } of await this.staff.assigned(tx, heeding)) {
      await this.foldFacts(work, ticketId, assignedFacts(work.tickets.get(ticketId)!.clocks.head, team, assignedAt), work.touched.get(ticketId));
    }
    await this.finish(work);
  }

  /** Folds events into the tickets they belong to. Tickets that were never opened here are none of ours. */
  async fold(tx: LogTransaction, events: readonly TicketEvent[], condition: 'true' | 'heeds_assignment' = 'true'): Promise<void> {
    const keys = events.flatMap((event) => (event.type === 'ticket.merged' ? [event.data.ticketId, event.data.intoTicketId] : [event.key]));
    const work = workOn(tx, await this.tickets.lock(tx, keys, condition));
    const { version } = this.policies.latest;
    for (const event of events) {
      const ticket = work.tickets.get(event.key);
      if (!ticket) continue;
      const waitingSince = (ticketId: string): number | null => work.tickets.get(ticketId)?.clocks.head.unansweredAt ?? null;
      await this.foldFacts(work, event.key, factsOf(event, { head: ticket.clocks.head, under: version, waitingSince }), event);
      if (isDone(work.tickets.get(event.key)!) && !isDone(ticket)) work.occasions.push({ what: 'done', ticket: work.tickets.get(event.key)!, event });
    }
    await this.finish(work);
  }

  /** Timers fired: time has passed. */
  async look(tx: LogTransaction, events: readonly ClockDue[]): Promise<void> {
    const keys = events.map(({ key }) => key);
    const work = workOn(tx, await this.tickets.lock(tx, keys));
    for (const event of events) {
      const ticket = work.tickets.get(event.key);
      // The clocks were changed after this timer was armed, and another was armed then.
      if (ticket?.armed?.epoch !== event.data.epoch) continue;
      this.take(work, { ...ticket, armed: null }, lookAt(ticket.clocks, Date.parse(event.time), this.policies.book), event);
    }
    await this.finish(work);
  }

  /** Brings the open tickets under the newest policies and calendars, or only says what that would change. */
  async adopt(isDry: boolean): Promise<Adoption> {
    const adoption: Adoption = { tickets: 0, clocks: 0, breached: 0, revoked: 0 };
    for (let after: string | undefined = LEAST_ID; after !== undefined;) {
      const from: string = after;
      after = await this.log.transaction('escalation', (tx) => this.adoptPage(tx, from, isDry, adoption));
    }
    return adoption;
  }

  private async adoptPage(tx: LogTransaction, after: string, isDry: boolean, adoption: Adoption): Promise<string | undefined> {
    const page = await this.tickets.lockOpen(tx, after, PAGE);
    const { version } = this.policies.latest;
    const at = (await tx.now()).getTime();
    const work = workOn(tx, new Map());
    for (const ticket of page) {
      const folded = await this.folded(tx, ticket, { what: 'adopted', at, under: version });
      const moved = new Set(folded.changes.flatMap((change) => (change.what === 'started' ? change.clocks : [change.clock])).map(({ metric }) => metric));
      if (moved.size === 0 && folded.ticket.head.policy === ticket.clocks.head.policy) continue;
      adoption.tickets++;
      adoption.clocks += moved.size;
      adoption.breached += folded.changes.filter(({ what }) => what === 'breached').length;
      adoption.revoked += folded.changes.filter(({ what }) => what === 'revoked').length;
      if (!isDry) this.take(work, ticket, folded);
    }
    await this.finish(work);
    return page.length < PAGE ? undefined : page.at(-1)!.ticketId;
  }

  private async foldFacts(work: Work, ticketId: string, facts: readonly Fact[], event: Event | undefined): Promise<void> {
    for (const fact of facts) {
      const ticket = work.tickets.get(ticketId)!;
      this.take(work, ticket, await this.folded(work.tx, ticket, fact, work.left), event);
    }
  }

  /** Folds a fact in; when that takes more than the ticket carries, over all of its facts. */
  private async folded(tx: LogTransaction, ticket: Ticket, fact: Fact, left: Work['left'] = []): Promise<Folded> {
    try {
      return fold(ticket.clocks, fact, this.policies.book);
    } catch (error) {
      if (!(error instanceof PastNeeded)) throw error;
      const kept = ticket.pastFacts > 0 ? await this.tickets.past(tx, ticket.ticketId) : [];
      const unsaved = left.flatMap(({ ticketId, facts }) => (ticketId === ticket.ticketId ? facts : []));
      return fold(ticket.clocks, fact, this.policies.book, [...kept, ...unsaved]);
    }
  }

  /** Takes a ticket as it was folded, and tells what is new. */
  private take(work: Work, before: Ticket, { ticket: clocks, changes, past }: Folded, event?: Event): void {
    const { ticketId, pastFacts } = before;
    const { status, priority } = clocks.head;
    let ticket: Ticket = { ...before, status, priority, clocks, pastFacts: pastFacts + past.length };
    if (past.length > 0) work.left.push({ ticketId, before: pastFacts, facts: past });
    for (const change of changes) {
      this.tell(work.tx, ticketId, change, event);
      if (change.what !== 'breached') continue;
      ticket = { ...ticket, epoch: ticket.epoch + 1 };
      const { clock } = change;
      work.occasions.push({ what: 'breached', ticket, clockId: clockIdOf(ticketId, clock), metric: clock.metric, event });
    }
    work.tickets.set(ticketId, ticket);
    work.touched.set(ticketId, event);
  }

  private tell(tx: LogTransaction, ticketId: string, change: ClockChange, causedBy: Event | undefined): void {
    const { definition, data } = eventOf(ticketId, change, this.policies.book);
    tx.append(definition, ticketId, data, causedBy);
  }

  /** Escalates what asks for it, arms a timer for each ticket, and saves: some statements in all, however many tickets. */
  private async finish({ tx, tickets, touched, occasions, left }: Work): Promise<void> {
    for (const { ticketId, tier, tierPath } of await this.escalations.react(tx, occasions)) {
      tickets.set(ticketId, { ...tickets.get(ticketId)!, tier, tierPath });
    }
    const changed = [...touched].map(([ticketId, event]) => this.time(tx, tickets.get(ticketId)!, event));
    await this.tickets.save(tx, changed);
    await this.tickets.keepPast(tx, left);
  }

  /** Arms the next point of the ticket's clocks, unless it is armed already. */
  private time(tx: LogTransaction, ticket: Ticket, causedBy: Event | undefined): Ticket {
    const { ticketId, clocks, armed } = ticket;
    const next = nextPoint(clocks);
    if (!next) {
      if (armed) this.timers.cancel(tx, timerOf(ticketId));
      return { ...ticket, armed: null };
    }
    const { metric, cycle } = next;
    const { point, at } = next.next;
    if (armed && armed.metric === metric && armed.cycle === cycle && armed.point === point && armed.at === at) return ticket;
    const epoch = ticket.epoch + 1;
    this.timers.arm(tx, {
      name: timerOf(ticketId),
      dueAt: new Date(at),
      definition: ClockDue,
      key: ticketId,
      data: { clockId: clockIdOf(ticketId, { metric, cycle }), ticketId, metric, cycle, point, epoch },
      causedBy,
    });
    return { ...ticket, armed: { metric, cycle, point, at, epoch }, epoch };
  }
}
