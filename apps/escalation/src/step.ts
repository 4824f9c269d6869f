import type { BreachCause, SlaMetric } from '@tierline/events';
import type { Book } from './book.ts';
import { begin, cancel, isOpen, look, pause, reopen, restate, revive, run, stateOf, stop, withBreach, type Clock, type Terms } from './clock.ts';
import { nameOf, policyFor, refOf, type Matched, type Policy } from './policy.ts';
import { copyOf, isDone, ofMetric, unopened, withEntry, type Draft, type Fact, type TicketClocks } from './ticket-clocks.ts';

/** Stopped by the solution; the waits go on beside it, each with its own pauses. */
const WORK = ['resolution', 'requester_wait', 'agent_work'] as const satisfies SlaMetric[];
const UPDATES = ['periodic_update', 'pausable_update'] as const satisfies SlaMetric[];

/** All of a ticket after one more fact, which must be the latest; `null` is the ticket before it was opened. `over` is told of cycles that others follow. */
export function step(before: TicketClocks | null, fact: Fact, book: Book, over?: (clock: Clock) => void): TicketClocks {
  if (fact.what === 'opened') return new Step(unopened(fact), fact.at, book, over).choose(fact.under).start(fact.byAgent ? null : fact.at).ticket;
  if (before!.isMerged || isIgnored(before!, fact)) return before!;
  const next = new Step(before!, fact.at, book, over);
  switch (fact.what) {
    case 'wrote':
      return before!.startedAt === null ? next.start(fact.at).ticket : next.wait(fact.at).ticket;
    case 'responded':
      return next.respond().ticket;
    case 'replied':
      return next.reply().ticket;
    case 'changed':
      next.change(fact);
      return decides(fact, before!, book) ? next.choose(fact.under).ticket : next.ticket;
    case 'assigned':
      return next.assign(fact.team).ticket;
    case 'merged':
      return next.merge().ticket;
    case 'joined':
      return next.wait(fact.unansweredAt).ticket;
    case 'adopted':
      return next.choose(fact.under, true).ticket;
  }
}

/** We speak to a customer who has not spoken yet, or for the first time again. */
function isIgnored({ startedAt, respondedAt }: TicketClocks, { what }: Fact): boolean {
  if (what === 'responded') return startedAt === null || respondedAt !== null;
  return (what === 'replied' || what === 'joined') && startedAt === null;
}

/** A policy is chosen again when a field changed that some policy chooses by. */
function decides({ priority, labels, under }: Fact & { what: 'changed' }, before: TicketClocks, book: Book): boolean {
  const { policies } = book.configuration(under);
  if (priority !== undefined && priority !== before.priority && policies.some(({ match }) => match.priorities)) return true;
  if (labels === undefined) return false;
  return isSpam({ labels }) !== isSpam(before) || policies.some(({ match }) => match.labels);
}

const isSpam = ({ labels }: Pick<Matched, 'labels'>): boolean => labels.includes('spam');

/** What one fact does to the clocks of a ticket, one rule after the other, on a copy. */
class Step {
  readonly ticket: Draft;

  constructor(
    before: TicketClocks,
    private readonly at: number,
    private readonly book: Book,
    private readonly over: ((clock: Clock) => void) | undefined,
  ) {
    this.ticket = copyOf(before);
  }

  /** The customer makes contact for the first time. */
  start(startedAt: number | null): this {
    if (startedAt === null) return this;
    this.ticket.startedAt = startedAt;
    this.ticket.unansweredAt = startedAt;
    return this.beginMissing();
  }

  /** The customer waits for an answer since `since`. */
  wait(since: number): this {
    const { respondedAt, unansweredAt, clocks } = this.ticket;
    this.ticket.unansweredAt = Math.min(unansweredAt ?? since, since);
    if (respondedAt === null && !this.policy?.countsFirstWait) return this;
    const clock = ofMetric(clocks, 'next_response');
    if (!clock || !isOpen(clock)) this.begin('next_response', since, 'merge');
    else if (since < clock.startedAt) this.restate(clock, 'merge', since);
    return this;
  }

  /** We answer the customer for the first time. */
  respond(): this {
    this.ticket.respondedAt = this.at;
    this.ticket.unansweredAt = null;
    return this.stop('first_response');
  }

  /** Our message ends a wait; it is an update too, and the next one is due. */
  reply(): this {
    this.ticket.unansweredAt = null;
    this.stop('next_response');
    for (const metric of UPDATES) {
      this.stop(metric);
      if (!isDone(this.ticket)) this.begin(metric, this.at);
    }
    return this;
  }

  change({ status, priority, labels }: Fact & { what: 'changed' }): this {
    if (priority !== undefined) this.ticket.priority = priority;
    if (labels !== undefined) this.ticket.labels = labels;
    if (status === undefined || status === this.ticket.status) return this;
    const wasDone = isDone(this.ticket);
    this.ticket.status = status;
    this.ticket.statusAt = this.at;
    for (const clock of this.ticket.clocks) {
      if (isWork(clock)) this.followWork(clock, wasDone);
      else if (goesOn(clock)) this.followWait(clock);
    }
    return this;
  }

  assign(team: string): this {
    if (team === this.ticket.team) return this;
    this.ticket.team = team;
    return this.apply('calendar_edit');
  }

  merge(): this {
    Object.assign(this.ticket, { status: 'closed', statusAt: this.at, isMerged: true } satisfies Partial<TicketClocks>);
    for (const clock of this.ticket.clocks) this.put(cancel(clock, this.at, 'merged', this.calendarOf(clock)));
    return this;
  }

  /** Takes the first policy that matches; one that it has already it keeps in the version it has, unless the newest is asked for. */
  choose(under: number, newest = false): this {
    const matched = isSpam(this.ticket) ? undefined : policyFor(this.ticket, this.book.configuration(under).policies);
    const keeps = matched && !newest && this.ticket.policy !== null && nameOf(this.ticket.policy) === matched.name;
    if (!keeps) this.ticket.policy = matched ? refOf(matched) : null;
    return this.apply('policy_change');
  }

  /** Puts the open clocks under the policy of the ticket, and begins those that it asks for besides. Results stay. */
  apply(cause: BreachCause): this {
    for (const clock of this.ticket.clocks) {
      if (isSpam(this.ticket)) this.put(cancel(clock, this.at, 'spam', this.calendarOf(clock)));
      else if (clock.cancelled?.reason === 'spam' && clock.stoppedAt !== null) this.put(revive(clock));
      else if (goesOn(clock)) this.catchUp(clock, cause);
    }
    return this.ticket.startedAt === null ? this : this.beginMissing();
  }

  private stop(metric: SlaMetric): this {
    const clock = ofMetric(this.ticket.clocks, metric);
    if (clock && goesOn(clock)) this.put(stop(clock, this.at, this.calendarOf(clock)));
    return this;
  }

  private followWork(clock: Clock, wasDone: boolean): void {
    if (isDone(this.ticket)) {
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
    if (!isDone(this.ticket) || this.stands(clock)) this.put(this.standOrRun(clock));
    // Whoever still waits for an answer when the ticket is solved writes again.
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
    const { startedAt, respondedAt, unansweredAt } = this.ticket;
    const isFresh = (metric: SlaMetric): boolean => !ofMetric(this.ticket.clocks, metric);
    if (respondedAt === null && isFresh('first_response')) this.begin('first_response', startedAt!);
    if (isDone(this.ticket)) return this;
    if (respondedAt !== null && unansweredAt !== null && isFresh('next_response')) this.begin('next_response', unansweredAt);
    for (const metric of WORK) if (isFresh(metric)) this.begin(metric, startedAt!);
    return this;
  }

  private begin(metric: SlaMetric, startedAt: number, cause: BreachCause = 'policy_change'): void {
    const terms = this.termsOf(metric);
    if (!terms) return;
    const previous = ofMetric(this.ticket.clocks, metric);
    if (previous) this.close(previous);
    const calendar = this.book.calendar(terms.calendar);
    const clock = look(begin(metric, (previous?.cycle ?? 0) + 1, terms, startedAt, calendar), this.at, calendar);
    // What was due before there was a target is missed now, not then.
    this.put(this.standOrRun(clock.breach ? withBreach(clock, { at: this.at, cause }) : clock));
  }

  private close(clock: Clock): void {
    const { metric, countedMs } = clock;
    const { met, missed, cancelled, longestMs } = ofMetric(this.ticket.tallies, metric) ?? { met: 0, missed: 0, cancelled: 0, longestMs: 0 };
    const state = stateOf(clock);
    this.ticket.tallies = withEntry(this.ticket.tallies, {
      metric,
      met: met + (state === 'met' ? 1 : 0),
      missed: missed + (state === 'missed' ? 1 : 0),
      cancelled: cancelled + (state === 'cancelled' ? 1 : 0),
      longestMs: state === 'cancelled' ? longestMs : Math.max(longestMs, countedMs),
    });
    this.over?.(clock);
  }

  private standOrRun(clock: Clock): Clock {
    const calendar = this.calendarOf(clock);
    return this.stands(clock) ? pause(clock, this.at, this.ticket.status, calendar) : run(clock, this.at, calendar);
  }

  /** Whether the ticket's state makes the clock stand still. While a ticket is solved nobody waits for a first answer. */
  private stands({ metric, policy }: Clock): boolean {
    const { status } = this.ticket;
    return this.book.policy(policy).pauseOn[metric].includes(status) || (metric === 'first_response' && isDone(this.ticket));
  }

  private termsOf(metric: SlaMetric): Terms | undefined {
    const { policy } = this;
    const targetMs = policy?.targetsMs[metric];
    if (!policy || targetMs === undefined) return undefined;
    const { team } = this.ticket;
    return { policy: this.ticket.policy!, calendar: (team === null ? undefined : policy.teamCalendars[team]) ?? policy.calendar, targetMs };
  }

  private get policy(): Policy | undefined {
    return this.ticket.policy === null ? undefined : this.book.policy(this.ticket.policy);
  }

  private calendarOf(clock: Clock): ReturnType<Book['calendar']> {
    return this.book.calendar(clock.calendar);
  }

  private put(clock: Clock): void {
    this.ticket.clocks = withEntry(this.ticket.clocks, clock);
  }
}

/** Not stopped, and not cancelled for good. */
const goesOn = ({ stoppedAt, cancelled }: Clock): boolean => stoppedAt === null && cancelled?.reason !== 'solved';
const isWork = ({ metric }: Clock): boolean => (WORK as readonly SlaMetric[]).includes(metric);
