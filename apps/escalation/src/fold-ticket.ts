import type { SlaMetric } from '@tierline/events';
import type { Book } from './book.ts';
import { countedAt, instantOf, isOpen, look, PastNeeded, shareMs, type Clock } from './clock.ts';
import { changesOf, type ClockChange } from './clock-changes.ts';
import { step, withoutLongPauses, type Fact, type TicketClocks } from './ticket-clocks.ts';

/**
 * So many of the latest facts stay with the ticket, and up to twice as many while it is cheaper not to move them: an event that is heard of late is folded in
 * among them. What comes later still needs the facts before, which are kept elsewhere.
 */
export const RECENT_FACTS = 32;

/** A ticket's clocks, with what it takes to fold an event in at the time at which it happened. Plain JSON. */
export interface FoldedTicket {
  /** After all facts. */
  readonly head: TicketClocks;
  /** The latest facts in the order in which they happened, and the ticket before them; null before the first of all. */
  readonly recent: readonly Fact[];
  readonly base: TicketClocks | null;
  /** Time has been seen to pass until then. */
  readonly seenAt: number;
  /** What has been warned of: of each clock and target once. */
  readonly warned: PerMetric<{ readonly clock: string; readonly percent: number }>;
  /** The next instant at which there is something to tell of a clock, if nothing happens until then. */
  readonly points: PerMetric<Point>;
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

type PerMetric<Value> = Readonly<Partial<Record<SlaMetric, Value | undefined>>>;

/** A ticket that nothing has happened to but this. */
export function open(fact: Fact & { what: 'opened' }, book: Book): Folded {
  return tell(undefined, { head: step(null, fact, book), recent: [fact], base: null, seenAt: fact.at, warned: {}, points: {} }, fact.at, book);
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
    const kept = keep(ticket.base, [...ticket.recent, fact], 0, book);
    return tell(ticket, { ...ticket, ...carried(head, kept), seenAt }, fact.at, book, { past: kept.past, after: over });
  }

  const isPast = ticket.base !== null && fact.at < ticket.recent[0]!.at;
  if (isPast && !past) throw new PastNeeded();
  const base = past ? null : ticket.base;
  const known = past ? inOrder([...past, ...ticket.recent]) : ticket.recent;
  const facts = known.toSpliced(known.findLastIndex(({ at }) => at <= fact.at) + 1, 0, fact);
  const [before, after] = [refold(base, known, book), refold(base, facts, book)];
  const kept = keep(base, facts, past ? past.length + (isPast ? 1 : 0) : 0, book);
  return tell(ticket, { ...ticket, ...carried(after.head, kept), seenAt }, fact.at, book, {
    past: isPast ? [fact, ...kept.past] : kept.past,
    before: before.over,
    after: after.over,
  });
}

/** The ticket when time has passed, and what is due by then. */
export function lookAt(ticket: FoldedTicket, at: number, book: Book): Folded {
  return at <= ticket.seenAt ? { ticket, changes: [], past: [] } : tell(ticket, { ...ticket, seenAt: at }, at, book);
}

/** The clocks after all of these facts: the latest cycles, and those that are over. */
export function refold(base: TicketClocks | null, facts: readonly Fact[], book: Book): { head: TicketClocks; over: readonly Clock[]; facts: readonly Fact[] } {
  const over: Clock[] = [];
  const head = facts.reduce<TicketClocks | null>((ticket, fact) => step(ticket, fact, book, (clock) => void over.push(clock)), base);
  return { head: head!, over, facts };
}

/** Facts in the order in which they happened; of the same instant, in the order in which they were heard of. */
export const inOrder = (facts: readonly Fact[]): readonly Fact[] => [...facts].sort((a, b) => a.at - b.at);

/** The one timer of a ticket: the next point of all its clocks. */
export function nextPoint({ points }: FoldedTicket): (Point & { metric: SlaMetric }) | undefined {
  let next: (Point & { metric: SlaMetric }) | undefined;
  for (const metric of Object.keys(points) as SlaMetric[]) {
    const point = points[metric];
    if (point && (!next || point.at < next.at)) next = { ...point, metric };
  }
  return next;
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
  return { base: withoutLongPauses(refold(base, facts.slice(0, count), book).head), recent: facts.slice(count), past: facts.slice(pastCount, count) };
}

/** The ticket never carries more pauses than its base. */
function carried(head: TicketClocks, { base, recent }: Kept): Pick<FoldedTicket, 'head' | 'base' | 'recent'> {
  return { head: base ? withoutLongPauses(head) : head, base, recent };
}

/** Lets time pass for the clocks that changed or have come to a point, and says what is new. */
function tell(
  before: FoldedTicket | undefined,
  ticket: FoldedTicket,
  at: number,
  book: Book,
  rest: { past?: readonly Fact[]; before?: readonly Clock[]; after?: readonly Clock[] } = {},
): Folded {
  let { head, warned, points } = ticket;
  const warnings: ClockChange[] = [];
  for (const metric of Object.keys(head.clocks) as SlaMetric[]) {
    const clock = head.clocks[metric]!;
    const isSame = clock === before?.head.clocks[metric];
    if (isSame && (points[metric]?.at ?? Number.POSITIVE_INFINITY) > ticket.seenAt) continue;
    const calendar = book.calendar(clock.calendar);
    const seen = look(clock, ticket.seenAt, calendar);
    if (seen !== clock) head = { ...head, clocks: { ...head.clocks, [metric]: seen } };
    if (seen.since === null || seen.breach || !isOpen(seen)) {
      if (points[metric]) points = { ...points, [metric]: undefined };
      continue;
    }
    const name = `${seen.cycle} ${seen.policy}`;
    const told = warned[metric]?.clock === name ? warned[metric].percent : 0;
    const countedMs = countedAt(seen, ticket.seenAt, calendar);
    const percents = book.policy(seen.policy).warnAtPercent;
    // Several at once are one warning: the last.
    const reached = percents.findLast((percent) => percent > told && shareMs(seen, percent) <= countedMs) ?? told;
    if (reached > told) {
      warned = { ...warned, [metric]: { clock: name, percent: reached } };
      warnings.push({ what: 'warned', clock: seen, percent: reached, at: instantOf(seen, shareMs(seen, reached), calendar) });
    }
    const next = percents.find((percent) => percent > reached);
    // Exactly the target is in time: the first instant after it is not.
    const ms = next === undefined ? seen.targetMs + 1 : shareMs(seen, next);
    points = { ...points, [metric]: { point: next === undefined ? 'breach' : 'warning', at: calendar.deadline(seen.since, ms - seen.countedMs) } };
  }
  for (const metric of Object.keys(points) as SlaMetric[]) if (!head.clocks[metric]) points = { ...points, [metric]: undefined };
  const after = { ...ticket, head, warned, points };
  const changes = changesOf([...(rest.before ?? []), ...Object.values(before?.head.clocks ?? {})], [...(rest.after ?? []), ...Object.values(head.clocks)], at);
  return { ticket: after, changes: [...changes, ...warnings], past: rest.past ?? [] };
}
