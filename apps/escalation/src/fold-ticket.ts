import type { SlaMetric } from '@tierline/events';
import type { Book } from './book.ts';
import { countedAt, instantOf, isOpen, look, PastNeeded, shareMs, type Clock } from './clock.ts';
import { changesOf, type ClockChange } from './clock-changes.ts';
import { step } from './step.ts';
import { withoutLongPauses, type Fact, type TicketClocks } from './ticket-clocks.ts';

/**
 * So many of the latest facts stay with the ticket, and up to twice as many while it is cheaper not to move them: an event that is heard of late is folded in
 * among them. What comes later still needs the facts before, which are kept elsewhere.
 */
export const RECENT_FACTS = 16;

/** All that has to be kept of a ticket's clocks; the rest follows from it. Plain JSON. */
export interface KeptTicket {
  /** The latest facts in the order in which they happened, and the ticket before them; null before the first of all. */
  readonly recent: readonly Fact[];
  readonly base: TicketClocks | null;
  /** Time has been seen to pass until then. */
  readonly seenAt: number;
  /** The greatest share of its target that was warned of, for each clock of which any was. */
  readonly warned: readonly Warned[];
}

/** A ticket's clocks, with what it takes to fold an event in at the time at which it happened. */
export interface FoldedTicket extends Omit<KeptTicket, 'warned'> {
  /** After all facts. */
  readonly head: TicketClocks;
  /** One for each of its clocks, in their order. */
  readonly watches: readonly Watch[];
}

interface Warned {
  readonly metric: SlaMetric;
  readonly cycle: number;
  readonly policy: string;
  /** 0 is none. */
  readonly warnedPercent: number;
}

/** What has been told of a clock, and when there is more to tell. */
export interface Watch extends Warned {
  /** The next instant at which there is something to tell, if nothing happens until then. */
  readonly next: Point | null;
}

export interface Point {
  readonly point: 'warning' | 'breach';
  readonly at: number;
}

export interface Folded {
  readonly ticket: FoldedTicket;
  readonly changes: readonly ClockChange[];
  /** Facts that left the ticket, to be kept elsewhere. */
  readonly past: readonly Fact[];
}

/** A ticket that nothing has happened to but this. */
export function open(fact: Fact & { what: 'opened' }, book: Book): Folded {
  return tell(undefined, step(null, fact, book), { base: null, recent: [fact], past: [] }, fact.at, fact.at, book);
}

/**
 * The ticket after one more fact, heard of now or late, and what has to be told of its clocks. `past` are the facts before the recent ones; throws PastNeeded
 * when it cannot do without them.
 */
export function fold(ticket: FoldedTicket, heard: Fact, book: Book, past?: readonly Fact[]): Folded {
  // Nothing happens to a ticket before it is there: the sender's clock is behind.
  const fact = heard.at < ticket.head.openedAt ? { ...heard, at: ticket.head.openedAt } : heard;
  const seenAt = Math.max(ticket.seenAt, fact.at);
  const isLate = fact.at < (ticket.recent.at(-1) ?? fact).at;
  if (!past && !isLate) {
    const over: Clock[] = [];
    const head = step(ticket.head, fact, book, (clock) => void over.push(clock));
    return tell(ticket, head, keep(ticket.base, [...ticket.recent, fact], 0, book), seenAt, fact.at, book, { before: [], after: over });
  }

  const isPast = ticket.base !== null && fact.at < ticket.recent[0]!.at;
  if (isPast && !past) throw new PastNeeded();
  const base = past ? null : ticket.base;
  const known = past ? inOrder([...past, ...ticket.recent]) : ticket.recent;
  const facts = known.toSpliced(known.findLastIndex(({ at }) => at <= fact.at) + 1, 0, fact);
  const [before, after] = [refold(base, known, book), refold(base, facts, book)];
  const kept = keep(base, facts, past ? past.length + (isPast ? 1 : 0) : 0, book);
  const left = isPast ? { ...kept, past: [fact, ...kept.past] } : kept;
  return tell(ticket, after.head, left, seenAt, fact.at, book, { before: before.over, after: after.over });
}

/** The ticket when time has passed, and what is due by then. */
export function lookAt(ticket: FoldedTicket, at: number, book: Book): Folded {
  const { head, base, recent, seenAt } = ticket;
  return at <= seenAt ? { ticket, changes: [], past: [] } : tell(ticket, head, { base, recent, past: [] }, at, at, book);
}

/** What has to be kept of a ticket. */
export function keptOf({ recent, base, seenAt, watches }: FoldedTicket): KeptTicket {
  const warned = watches.filter(({ warnedPercent }) => warnedPercent > 0);
  return { recent, base, seenAt, warned: warned.map(({ metric, cycle, policy, warnedPercent }) => ({ metric, cycle, policy, warnedPercent })) };
}

/** The ticket again, from what was kept of it. */
export function restore({ recent, base, seenAt, warned }: KeptTicket, book: Book): FoldedTicket {
  const { head } = refold(base, recent, book);
  const told = warned.map((each): Watch => ({ ...each, next: null }));
  return pass({ watches: told, clocks: [] }, head, { base, recent, past: [] }, seenAt, book).ticket;
}

/** The clocks after all of these facts: the latest cycles, and those that are over. */
export function refold(base: TicketClocks | null, facts: readonly Fact[], book: Book): { head: TicketClocks; over: readonly Clock[] } {
  const over: Clock[] = [];
  const head = facts.reduce<TicketClocks | null>((ticket, fact) => step(ticket, fact, book, (clock) => void over.push(clock)), base);
  return { head: head!, over };
}

/** Facts in the order in which they happened; of the same instant, in the order in which they were heard of. */
export const inOrder = (facts: readonly Fact[]): readonly Fact[] => [...facts].sort((a, b) => a.at - b.at);

/** The one timer of a ticket: the next point of all its clocks. */
export function nextPoint({ watches }: FoldedTicket): (Watch & { readonly next: Point }) | undefined {
  let first: (Watch & { readonly next: Point }) | undefined;
  for (const watch of watches) {
    const { next } = watch;
    if (next && (!first || next.at < first.next.at)) first = { ...watch, next };
  }
  return first;
}

interface Kept {
  readonly base: TicketClocks | null;
  readonly recent: readonly Fact[];
  /** Those that leave now. */
  readonly past: readonly Fact[];
}

/** Keeps the recent ones of the facts since `base`, of which the first `pastCount` have left before. The others go into the base. */
function keep(base: TicketClocks | null, facts: readonly Fact[], pastCount: number, book: Book): Kept {
  const isMany = facts.length - pastCount > 2 * RECENT_FACTS;
  const count = isMany ? facts.length - RECENT_FACTS : pastCount;
  if (count === 0) return { base, recent: facts, past: [] };
  const recent = facts.slice(count);
  return { base: lightest(refold(base, facts.slice(0, count), book).head, recent, book), recent, past: facts.slice(pastCount, count) };
}

/** The base without pauses that are too many to carry, unless the recent facts need them: they must always lead from it to the head. */
function lightest(base: TicketClocks, recent: readonly Fact[], book: Book): TicketClocks {
  const light = withoutLongPauses(base);
  if (light === base) return base;
  try {
    refold(light, recent, book);
    return light;
  } catch (error) {
    if (error instanceof PastNeeded) return base;
    throw error;
  }
}

/** The ticket when time has passed until `seenAt`, and what is new since `before`. */
function tell(
  before: FoldedTicket | undefined,
  after: TicketClocks,
  kept: Kept,
  seenAt: number,
  at: number,
  book: Book,
  over: { readonly before: readonly Clock[]; readonly after: readonly Clock[] } = NOTHING_OVER,
): Folded {
  const known = before?.head.clocks ?? [];
  const { ticket, warnings } = pass({ watches: before?.watches ?? [], clocks: known }, after, kept, seenAt, book);
  const { clocks } = ticket.head;
  const isPlain = over.before.length === 0 && over.after.length === 0;
  const changes = isPlain ? changesOf(known, clocks, at) : changesOf([...over.before, ...known], [...over.after, ...clocks], at);
  return { ticket, changes: warnings.length > 0 ? [...changes, ...warnings] : changes, past: kept.past };
}

const NOTHING_OVER = { before: [], after: [] };

/** Lets time pass for the clocks that are not as they were, or have come to a point. */
function pass(
  before: { readonly watches: readonly Watch[]; readonly clocks: readonly Clock[] },
  after: TicketClocks,
  { base, recent }: Kept,
  seenAt: number,
  book: Book,
): { ticket: FoldedTicket; warnings: readonly ClockChange[] } {
  // The ticket never carries more pauses than its base.
  let head = base ? withoutLongPauses(after) : after;
  const warnings: ClockChange[] = [];
  const watches = head.clocks.map((clock, index) => {
    const watch = watchOf(before.watches, clock, index);
    if (watch && clock === before.clocks[index] && (watch.next?.at ?? Number.POSITIVE_INFINITY) > seenAt) return watch;
    const seen = look(clock, seenAt, book.calendar(clock.calendar));
    if (seen !== clock) head = { ...head, clocks: head.clocks.with(index, seen) };
    return watchFurther(seen, watch, seenAt, book, warnings);
  });
  return { ticket: { head, base, recent, seenAt, watches }, warnings };
}

function watchOf(watches: readonly Watch[], { metric, cycle }: Clock, index: number): Watch | undefined {
  const isSame = (watch: Watch | undefined): boolean => watch?.metric === metric && watch.cycle === cycle;
  return isSame(watches[index]) ? watches[index] : watches.find(isSame);
}

/** Warns of what has come, and finds the next point. */
function watchFurther(clock: Clock, watch: Watch | undefined, seenAt: number, book: Book, warnings: ClockChange[]): Watch {
  const { metric, cycle, policy, targetMs, since, countedMs } = clock;
  const told = watch?.policy === policy ? watch.warnedPercent : 0;
  if (since === null || clock.breach || !isOpen(clock)) return { metric, cycle, policy, warnedPercent: told, next: null };
  const calendar = book.calendar(clock.calendar);
  const percents = book.policy(policy).warnAtPercent;
  const nowMs = countedAt(clock, seenAt, calendar);
  // Several at once are one warning: the last.
  const reached = percents.findLast((percent) => percent > told && shareMs(clock, percent) <= nowMs) ?? told;
  if (reached > told) warnings.push({ what: 'warned', clock, percent: reached, at: instantOf(clock, shareMs(clock, reached), calendar) });
  const percent = percents.find((each) => each > reached);
  // Exactly the target is in time: the first instant after it is not.
  const ms = percent === undefined ? targetMs + 1 : shareMs(clock, percent);
  const next: Point = { point: percent === undefined ? 'breach' : 'warning', at: calendar.deadline(since, ms - countedMs) };
  return { metric, cycle, policy, warnedPercent: reached, next };
}
