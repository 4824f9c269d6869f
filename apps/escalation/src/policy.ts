import { isDeepStrictEqual } from 'node:util';
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
  /** A metric without a target has no clock. */
  readonly targetsMs: Readonly<Partial<Record<SlaMetric, number>>>;
  readonly warnAtPercent: number;
  /** The ticket states in which a metric's clock stands still. */
  readonly pauseOn: Readonly<Record<SlaMetric, readonly TicketStatus[]>>;
}

/** What policies choose by. */
export interface Matched {
  readonly priority: TicketPriority;
  readonly channel: string;
  readonly brand: string | undefined;
  readonly labels: readonly string[];
}

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

/** A policy as configured, before it has a version. */
export type PolicyTerms = Omit<Policy, 'version'>;

/** The policies to have in force: the same version where the terms are the same, the next one where they changed. */
export function nextPolicies(wanted: readonly PolicyTerms[], latest: readonly Policy[]): Policy[] {
  return wanted.map((terms) => {
    const known = latest.find(({ name }) => name === terms.name);
    if (!known) return { ...terms, version: 1 };
    return isDeepStrictEqual({ ...terms, version: known.version }, known) ? known : { ...terms, version: known.version + 1 };
  });
}
