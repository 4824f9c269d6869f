import type { SlaMetric, TicketStatus } from '@tierline/events';
import type { Book } from './book.ts';
import type { Clock } from './clock.ts';
import type { ClockChange } from './clock-changes.ts';
import { fold, lookAt, open, type Folded, type FoldedTicket } from './fold-ticket.ts';
import { PastNeeded } from './clock.ts';
import { ofMetric, type Fact } from './ticket-clocks.ts';

type Opened = Fact & { what: 'opened' };
/** Something that is heard of, or only time that has passed. */
export type Heard = Exclude<Fact, Opened> | { readonly what: 'look'; readonly at: number };

/** How a test tells of facts: times are in ms since the ticket was opened. */
export const tell = {
  opened: (rest: Partial<Opened> = {}): Opened => ({
    what: 'opened',
    at: 0,
    under: 1,
    status: 'new',
    byAgent: false,
    priority: 'normal',
    channel: 'email',
    brand: undefined,
    labels: [],
    ...rest,
  }),
  look: (at: number): Heard => ({ what: 'look', at }),
  wrote: (at: number): Heard => ({ what: 'wrote', at }),
  answered: (at: number): Heard[] => [
    { what: 'responded', at },
    { what: 'replied', at },
  ],
  becomes: (at: number, status: TicketStatus): Heard => ({ what: 'changed', at, under: 1, status }),
  priority: (at: number, priority: 'urgent' | 'high' | 'normal' | 'low', under = 1): Heard => ({ what: 'changed', at, under, priority }),
  labels: (at: number, labels: string[], under = 1): Heard => ({ what: 'changed', at, under, labels }),
  assigned: (at: number, team: string): Heard => ({ what: 'assigned', at, team }),
  merged: (at: number): Heard => ({ what: 'merged', at }),
  joined: (at: number, unansweredAt: number): Heard => ({ what: 'joined', at, unansweredAt }),
  adopted: (at: number, under: number): Heard => ({ what: 'adopted', at, under }),
};

export interface Story {
  readonly ticket: FoldedTicket;
  /** What is told, in order: `resolution breached@100`. */
  readonly told: readonly string[];
  readonly changes: readonly ClockChange[];
  /** The facts that no longer stand with the ticket. */
  readonly past: readonly Fact[];
  clock(metric: SlaMetric): Clock;
}

/** Folds facts in the order in which they are heard of. */
export function story(book: Book, heard: readonly (Heard | Heard[])[], opened: Opened = tell.opened()): Story {
  let { ticket, changes } = open(opened, book);
  const all = [...changes];
  const past: Fact[] = [];
  for (const fact of heard.flat()) {
    const folded: Folded = fact.what === 'look' ? lookAt(ticket, fact.at, book) : foldWithPast(ticket, fact, book, past);
    ({ ticket, changes } = folded);
    past.push(...folded.past);
    all.push(...changes);
  }
  return { ticket, changes: all, past, told: all.flatMap(inWords), clock: (metric) => ofMetric(ticket.head.clocks, metric)! };
}

/** As the service does. */
function foldWithPast(ticket: FoldedTicket, fact: Fact, book: Book, past: readonly Fact[]): Folded {
  try {
    return fold(ticket, fact, book);
  } catch (error) {
    if (!(error instanceof PastNeeded)) throw error;
    return fold(ticket, fact, book, past);
  }
}

function inWords(change: ClockChange): string[] {
  if (change.what === 'started') return change.clocks.map(({ metric, startedAt }) => `${metric} started@${startedAt}`);
  const { clock, at } = change;
  const what = change.what === 'stopped' ? (clock.breach ? 'missed' : 'met') : change.what;
  const why =
    change.what === 'cancelled'
      ? ` (${clock.cancelled!.reason})`
      : change.what === 'breached' && clock.breach!.cause !== 'time'
        ? ` (${clock.breach!.cause})`
        : '';
  return [`${clock.metric} ${what}@${at}${why}`];
}
