import type { SlaMetric, TicketPriority, TicketStatus } from '@tierline/events';
import { withoutPauses, type Clock } from './clock.ts';
import type { Matched } from './policy.ts';

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
  readonly metric: SlaMetric;
  readonly met: number;
  readonly missed: number;
  readonly cancelled: number;
  /** The longest that was met or missed. */
  readonly longestMs: number;
}

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
  readonly clocks: readonly Clock[];
  readonly tallies: readonly Tally[];
}
/** A ticket that is being changed. */
export type Draft = { -readonly [Field in keyof TicketClocks]: TicketClocks[Field] };

export const isDone = ({ status }: Pick<TicketClocks, 'status'>): boolean => status === 'solved' || status === 'closed';

/** The entry of a metric in a list that has one of each. */
export const ofMetric = <Entry extends { readonly metric: SlaMetric }>(entries: readonly Entry[], metric: SlaMetric): Entry | undefined =>
  entries.find((entry) => entry.metric === metric);

/** A ticket before anything is decided about it. */
export function unopened({ at, status, priority, channel, brand, labels }: Fact & { what: 'opened' }): TicketClocks {
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
    clocks: [],
    tallies: [],
  };
}

/** A list that has one entry of each metric, with this one. */
export function withEntry<Entry extends { readonly metric: SlaMetric }>(entries: readonly Entry[], entry: Entry): readonly Entry[] {
  const index = entries.findIndex(({ metric }) => metric === entry.metric);
  if (entries[index] === entry) return entries;
  return index < 0 ? [...entries, entry] : entries.with(index, entry);
}

/** A copy to be changed. Written out, like that of a clock. */
export function copyOf(ticket: TicketClocks): Draft {
  return {
    status: ticket.status,
    statusAt: ticket.statusAt,
    priority: ticket.priority,
    channel: ticket.channel,
    brand: ticket.brand,
    labels: ticket.labels,
    openedAt: ticket.openedAt,
    startedAt: ticket.startedAt,
    respondedAt: ticket.respondedAt,
    unansweredAt: ticket.unansweredAt,
    isMerged: ticket.isMerged,
    team: ticket.team,
    policy: ticket.policy,
    clocks: ticket.clocks,
    tallies: ticket.tallies,
  };
}

/** So many pauses a clock keeps; those of a ticket that is more restless are found in its facts. */
export const MAX_PAUSES = 16;

/** Lets go of pauses that are too many to carry along. */
export function withoutLongPauses(ticket: TicketClocks): TicketClocks {
  const isLong = ({ pauses }: Clock): boolean => pauses !== null && pauses.length > MAX_PAUSES;
  if (!ticket.clocks.some(isLong)) return ticket;
  return { ...ticket, clocks: ticket.clocks.map((clock) => (isLong(clock) ? withoutPauses(clock) : clock)) };
}
