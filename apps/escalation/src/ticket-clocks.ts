import type { BreachCause, SlaMetric, TicketPriority, TicketStatus } from '@tierline/events';
import type { Book } from './book.ts';
import {
  begin,
  cancel,
  isOpen,
  look,
  pause,
  reopen,
  restate,
  run,
  stateOf,
  stop,
  type CancelReason,
  type Clock,
  type ClockPause,
  type Terms,
} from './clock.ts';
import { nameOf, policyFor, refOf, type Matched, type Policy } from './policy.ts';

/** What happened to a ticket, as its clocks see it. `under` is the configuration in force when it was heard of, by which it is decided for good. */
export type Fact =
  | ({ readonly what: 'opened'; readonly at: number; readonly under: number; readonly status: TicketStatus; readonly byAgent: boolean } & Matched)
  /** The customer wrote; we answered them; we wrote to them. */
  | { readonly what: 'wrote' | 'responded' | 'replied'; readonly at: number }
  | {
      readonly what: 'changed';
      readonly at: number;
      readonly under: number;
      readonly status?: TicketStatus;
      readonly priority?: TicketPriority;
      readonly labels?: readonly string[];
    }
  | { readonly what: 'assigned'; readonly at: number; readonly team: string }
  /** It was merged into another; another was merged into it, whose customer had been waiting since `unansweredAt`. */
  | { readonly what: 'merged'; readonly at: number }
  | { readonly what: 'joined'; readonly at: number; readonly unansweredAt: number }
  /** Somebody had the newest policies and calendars applied to it. */
  | { readonly what: 'adopted'; readonly at: number; readonly under: number };

/** What became of the cycles of a metric that are over. */
export interface Tally {
  readonly met: number;
  readonly missed: number;
  readonly cancelled: number;
  /** The longest that was met or missed. */
  readonly longestMs: number;
}

type PerMetric<Value> = Readonly<Partial<Record<SlaMetric, Value>>>;

/** A ticket after its facts up to one, as plain JSON; times are in ms since 1970. Its size does not grow with their number. */
export interface TicketClocks extends Matched {
  readonly status: TicketStatus;
  /** Since when it is in that state. */
  readonly statusAt: number;
  readonly openedAt: number;
  /** The customer's first contact; a ticket that we opened has no clocks before. */
  readonly startedAt: number | null;
  readonly respondedAt: number | null;
  /** The oldest message of the customer since our last one. */
  readonly unansweredAt: number | null;
  readonly isMerged: boolean;
  readonly team: string | null;
  readonly policy: string | null;
  /** The latest cycle of each metric, and what became of those before. */
  readonly clocks: PerMetric<Clock>;
  readonly tallies: PerMetric<Tally>;
}

/** Stopped by the solution; the waits go on beside it, each with its own pauses. */
const WORK = ['resolution', 'requester_wait', 'agent_work'] as const satisfies SlaMetric[];
const UPDATES = ['periodic_update', 'pausable_update'] as const satisfies SlaMetric[];

export const isDone = ({ status }: Pick<TicketClocks, 'status'>): boolean => status === 'solved' || status === 'closed';

/** All of a ticket after one more fact, which must be the latest; `null` is the ticket before it was opened. `over` is told of cycles that others follow. */
export function step(before: TicketClocks | null, fact: Fact, book: Book, over?: (clock: Clock) => void): TicketClocks {
  const { at } = fact;
  if (fact.what === 'opened') return new Step(unopened(fact), at, book, over).choose(fact.under).start(fact.byAgent ? null : at).ticket;
  if (before!.isMerged) return before!;
  const ticket = before!;
  switch (fact.what) {
    case 'wrote':
      if (ticket.startedAt === null) return new Step(ticket, at, book, over).start(at).ticket;
      return new Step({ ...ticket, unansweredAt: ticket.unansweredAt ?? at }, at, book, over).wait(at).ticket;
    case 'responded':
      if (ticket.startedAt === null || ticket.respondedAt !== null) return ticket;
      return new Step({ ...ticket, respondedAt: at, unansweredAt: null }, at, book, over).stop('first_response').ticket;
    case 'replied':
      if (ticket.startedAt === null) return ticket;
      return new Step({ ...ticket, unansweredAt: null }, at, book, over).stop('next_response').update().ticket;
    case 'changed': {
      const { status = ticket.status, priority = ticket.priority, labels = ticket.labels } = fact;
      const isMoved = status !== ticket.status;
      const next = new Step({ ...ticket, status, priority, labels, statusAt: isMoved ? at : ticket.statusAt }, at, book, over);
      if (isMoved) next.follow(isDone(ticket));
      return decides(fact, ticket, book) ? next.choose(fact.under).ticket : next.ticket;
    }
    case 'assigned':
      return fact.team === ticket.team ? ticket : new Step({ ...ticket, team: fact.team }, at, book, over).apply('calendar_edit').ticket;
    case 'merged':
      return new Step({ ...ticket, status: 'closed', statusAt: at, isMerged: true }, at, book, over).cancelAll('merged').ticket;
    case 'joined':
      return new Step({ ...ticket, unansweredAt: Math.min(ticket.unansweredAt ?? at, fact.unansweredAt) }, at, book, over).wait(fact.unansweredAt).ticket;
    case 'adopted':
      return new Step(ticket, at, book, over).choose(fact.under, true).ticket;
  }
}

/** A policy is chosen again when a field changed that some policy chooses by. */
function decides({ priority, labels, under }: Fact & { what: 'changed' }, before: TicketClocks, book: Book): boolean {
  const { policies } = book.configuration(under);
  if (priority !== undefined && priority !== before.priority && policies.some(({ match }) => match.priorities)) return true;
  if (labels === undefined) return false;
  return isSpam({ labels }) !== isSpam(before) || policies.some(({ match }) => match.labels);
}

const isSpam = ({ labels }: Pick<Matched, 'labels'>): boolean => labels.includes('spam');

function unopened({ at, status, priority, channel, brand, labels }: Fact & { what: 'opened' }): TicketClocks {
  return {
    status,
    statusAt: at,
    priority,
    channel,
    brand,
    labels,
    openedAt: at,
    startedAt: null,
    respondedAt: null,
    unansweredAt: null,
    isMerged: false,
    team: null,
    policy: null,
    clocks: {},
    tallies: {},
  };
}

/** What one fact does to the clocks of a ticket, one rule after the other. */
class Step {
  private cycles: Partial<Record<SlaMetric, Clock>>;
  private isChanged = false;

  constructor(
    private state: TicketClocks,
    private readonly at: number,
    private readonly book: Book,
    private readonly over: ((clock: Clock) => void) | undefined,
  ) {
    this.cycles = state.clocks;
  }

  get ticket(): TicketClocks {
    return this.isChanged ? { ...this.state, clocks: this.cycles } : this.state;
  }

  /** The customer makes contact for the first time. */
  start(startedAt: number | null): this {
    if (startedAt === null) return this;
    this.state = { ...this.state, startedAt, unansweredAt: startedAt };
    return this.beginMissing();
  }

  /** The customer waits for an answer since `since`. */
  wait(since: number): this {
    const { respondedAt } = this.state;
    if (respondedAt === null && !this.policy?.countsFirstWait) return this;
    const clock = this.cycles.next_response;
    if (!clock || !isOpen(clock)) this.begin('next_response', since, 'merge');
    else if (since < clock.startedAt) this.restate(clock, 'merge', since);
    return this;
  }

  /** Our answer ends a wait. */
  stop(metric: SlaMetric): this {
    const clock = this.cycles[metric];
    if (clock && clock.stoppedAt === null && clock.cancelled?.reason !== 'solved') this.put(stop(clock, this.at, this.calendarOf(clock)));
    return this;
  }

  /** Our message is an update, and the next one is due. */
  update(): this {
    for (const metric of UPDATES) {
      this.stop(metric);
      if (!isDone(this.state)) this.begin(metric, this.at);
    }
    return this;
  }

  /** Clocks do what the ticket's new state asks of them. */
  follow(wasDone: boolean): this {
    for (const clock of Object.values(this.cycles)) {
      if (isWork(clock)) this.followWork(clock, wasDone);
      else if (clock.stoppedAt === null && clock.cancelled?.reason !== 'solved') this.followWait(clock);
    }
    return this;
  }

  /** Takes the first policy that matches; one that it has already it keeps in the version it has, unless the newest is asked for. */
  choose(under: number, newest = false): this {
    const matched = isSpam(this.state) ? undefined : policyFor(this.state, this.book.configuration(under).policies);
    const keeps = matched && !newest && this.state.policy !== null && nameOf(this.state.policy) === matched.name;
    this.state = { ...this.state, policy: keeps ? this.state.policy : matched ? refOf(matched) : null };
    return this.apply('policy_change');
  }

  /** Puts the open clocks under the policy of the ticket, and begins those that it asks for besides. Results stay. */
  apply(cause: BreachCause): this {
    for (const clock of Object.values(this.cycles)) {
      if (isSpam(this.state)) this.put(cancel(clock, this.at, 'spam', this.calendarOf(clock)));
      else if (clock.cancelled?.reason === 'spam' && clock.stoppedAt !== null) this.put({ ...clock, cancelled: null });
      else if (clock.stoppedAt === null && clock.cancelled?.reason !== 'solved') this.catchUp(clock, cause);
    }
    return this.state.startedAt === null ? this : this.beginMissing();
  }

  cancelAll(reason: CancelReason): this {
    for (const clock of Object.values(this.cycles)) this.put(cancel(clock, this.at, reason, this.calendarOf(clock)));
    return this;
  }

  private followWork(clock: Clock, wasDone: boolean): void {
    if (isDone(this.state)) {
      if (clock.stoppedAt === null) this.put(stop(clock, this.at, this.calendarOf(clock)));
    } else if (clock.stoppedAt === null) {
      this.put(this.standOrRun(clock));
    } else if (!wasDone) {
      return;
    } else if (this.at - clock.stoppedAt <= this.book.policy(clock.policy).reopenWindowMs) {
      // What stopped kept its result: a clock that runs again has to catch up with the policy.
      this.catchUp(reopen(clock, this.at, this.calendarOf(clock)), 'policy_change');
    } else {
      this.begin(clock.metric, this.at);
    }
  }

  private followWait(clock: Clock): void {
    if (!isDone(this.state)) this.put(this.standOrRun(clock));
    // While a ticket is solved nobody waits for a first answer; whoever waits for the next one writes again.
    else if (clock.metric === 'first_response') this.put(pause(clock, this.at, this.state.status, this.calendarOf(clock)));
    else this.put(cancel(clock, this.at, 'solved', this.calendarOf(clock)));
  }

  private catchUp(clock: Clock, cause: BreachCause): void {
    const terms = this.termsOf(clock.metric);
    if (!terms) return this.put(cancel(clock, this.at, 'no_policy', this.calendarOf(clock)));
    if (!clock.cancelled && terms.policy === clock.policy && terms.calendar === clock.calendar) return this.put(this.standOrRun(clock));
    const isCalendarOnly = terms.targetMs === clock.targetMs && terms.calendar !== clock.calendar && nameOf(terms.policy) === nameOf(clock.policy);
    this.restate(clock, isCalendarOnly ? 'calendar_edit' : cause, clock.startedAt, terms);
  }

  private restate(clock: Clock, cause: BreachCause, startedAt: number, terms: Terms = clock): void {
    const { policy, calendar, targetMs } = terms;
    const calendars = { from: this.calendarOf(clock), to: this.book.calendar(calendar) };
    this.put(this.standOrRun(restate(clock, this.at, { policy, calendar, targetMs }, calendars, cause, startedAt)));
  }

  /** A metric whose policy came later counts from where it would have begun. */
  private beginMissing(): this {
    const { startedAt, respondedAt, unansweredAt } = this.state;
    const isFresh = (metric: SlaMetric): boolean => this.cycles[metric] === undefined;
    if (respondedAt === null && isFresh('first_response')) this.begin('first_response', startedAt!);
    if (isDone(this.state)) return this;
    if (respondedAt !== null && unansweredAt !== null && isFresh('next_response')) this.begin('next_response', unansweredAt);
    for (const metric of WORK) if (isFresh(metric)) this.begin(metric, startedAt!);
    return this;
  }

  private begin(metric: SlaMetric, startedAt: number, cause: BreachCause = 'policy_change'): void {
    const terms = this.termsOf(metric);
    if (!terms) return;
    const previous = this.cycles[metric];
    if (previous) this.close(previous);
    const calendar = this.book.calendar(terms.calendar);
    const clock = look(begin(metric, (previous?.cycle ?? 0) + 1, terms, startedAt, calendar), this.at, calendar);
    // What was due before there was a target is missed now, not then.
    this.put(this.standOrRun(clock.breach ? { ...clock, breach: { at: this.at, cause } } : clock));
  }

  private close(clock: Clock): void {
    const { met, missed, cancelled, longestMs } = this.state.tallies[clock.metric] ?? { met: 0, missed: 0, cancelled: 0, longestMs: 0 };
    const state = stateOf(clock);
    const tally = {
      met: met + (state === 'met' ? 1 : 0),
      missed: missed + (state === 'missed' ? 1 : 0),
      cancelled: cancelled + (state === 'cancelled' ? 1 : 0),
      longestMs: state === 'cancelled' ? longestMs : Math.max(longestMs, clock.countedMs),
    };
    this.state = { ...this.state, tallies: { ...this.state.tallies, [clock.metric]: tally } };
    this.over?.(clock);
  }

  private standOrRun(clock: Clock): Clock {
    const { status } = this.state;
    const calendar = this.calendarOf(clock);
    const stands = this.book.policy(clock.policy).pauseOn[clock.metric].includes(status) || (isDone(this.state) && clock.metric === 'first_response');
    return stands ? pause(clock, this.at, status, calendar) : run(clock, this.at, calendar);
  }

  private termsOf(metric: SlaMetric): Terms | undefined {
    const { policy } = this;
    const targetMs = policy?.targetsMs[metric];
    if (!policy || targetMs === undefined) return undefined;
    const { team } = this.state;
    return { policy: this.state.policy!, calendar: (team === null ? undefined : policy.teamCalendars[team]) ?? policy.calendar, targetMs };
  }

  private get policy(): Policy | undefined {
    return this.state.policy === null ? undefined : this.book.policy(this.state.policy);
  }

  private calendarOf(clock: Clock): ReturnType<Book['calendar']> {
    return this.book.calendar(clock.calendar);
  }

  private put(clock: Clock): void {
    if (this.cycles[clock.metric] === clock) return;
    this.cycles = { ...this.cycles, [clock.metric]: clock };
    this.isChanged = true;
  }
}

const isWork = ({ metric }: Clock): boolean => (WORK as readonly SlaMetric[]).includes(metric);

/** So many pauses a clock keeps; those of a ticket that is more restless are found in its facts. */
export const MAX_PAUSES = 16;

/** Lets go of pauses that are too many to carry along. */
export function withoutLongPauses(ticket: TicketClocks): TicketClocks {
  const isLong = (pauses: readonly ClockPause[] | null): boolean => pauses !== null && pauses.length > MAX_PAUSES;
  const clocks = Object.values(ticket.clocks);
  if (!clocks.some(({ pauses }) => isLong(pauses))) return ticket;
  return { ...ticket, clocks: Object.fromEntries(clocks.map((clock) => [clock.metric, isLong(clock.pauses) ? { ...clock, pauses: null } : clock])) };
}
