import { isDeepStrictEqual } from 'node:util';
import type { CalendarDefinition } from '@tierline/calendar';
import type { SlaMetric, TicketPriority, TicketStatus } from '@tierline/events';

/** One version of an SLA policy. It never changes: a clock keeps the version it runs by. */
export interface Policy {
  readonly name: string;
  readonly version: number;
  /** What a ticket must be: every field that is given has to match, `labels` by any of them. */
  readonly match: {
    readonly priorities?: readonly TicketPriority[] | undefined;
    readonly channels?: readonly string[] | undefined;
    readonly labels?: readonly string[] | undefined;
    readonly brands?: readonly string[] | undefined;
  };
  /** The version of a calendar by which its clocks count: `berlin/2`; null counts all time. */
  readonly calendar: string | null;
  /** The calendars of teams, which go before `calendar` while one of them has the ticket. */
  readonly teamCalendars: Readonly<Record<string, string>>;
  /** A metric without a target has no clock. */
  readonly targetsMs: Readonly<Partial<Record<SlaMetric, number>>>;
  /** Shares of the target, in order. */
  readonly warnAtPercent: readonly number[];
  /** The ticket states in which a metric's clock stands still. */
  readonly pauseOn: Readonly<Record<SlaMetric, readonly TicketStatus[]>>;
  /** A ticket that is reopened later than this begins new cycles. */
  readonly reopenWindowMs: number;
  /** Whether the wait for the first response is also the first cycle of the next response. */
  readonly countsFirstWait: boolean;
}

/** One version of a calendar. It never changes. */
export interface CalendarVersion {
  readonly name: string;
  readonly version: number;
  readonly definition: CalendarDefinition;
}

/** A policy or a calendar as configured, before it has a version. */
export type PolicyTerms = Omit<Policy, 'version'>;
export type CalendarTerms = Omit<CalendarVersion, 'version'>;

/** What policies choose by. */
export interface Matched {
  readonly priority: TicketPriority;
  readonly channel: string;
  readonly brand: string | undefined;
  readonly labels: readonly string[];
}

/** How a version is referred to: `standard/3`. */
export const refOf = ({ name, version }: { name: string; version: number }): string => `${name}/${version}`;
export const nameOf = (ref: string): string => ref.slice(0, ref.lastIndexOf('/'));

/** The first policy that matches, in the order in which they are configured. */
export function policyFor(ticket: Matched, policies: readonly Policy[]): Policy | undefined {
  return policies.find(
    ({ match }) =>
      (match.priorities?.includes(ticket.priority) ?? true) &&
      (match.channels?.includes(ticket.channel) ?? true) &&
      (match.labels?.some((label) => ticket.labels.includes(label)) ?? true) &&
      (match.brands === undefined || (ticket.brand !== undefined && match.brands.includes(ticket.brand))),
  );
}

/** The versions to have in force: the same one where the terms are the same, the next one where they changed. */
export function nextVersions<Terms extends { readonly name: string }>(
  wanted: readonly Terms[],
  latest: readonly (Terms & { readonly version: number })[],
): (Terms & { version: number })[] {
  return wanted.map((terms) => {
    const known = latest.find(({ name }) => name === terms.name);
    if (!known) return { ...terms, version: 1 };
    return isDeepStrictEqual({ ...terms, version: known.version }, { ...known }) ? known : { ...terms, version: known.version + 1 };
  });
}
