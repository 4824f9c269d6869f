import { isDeepStrictEqual } from 'node:util';
import type { Configuration } from './book.ts';
import { METRICS, type EscalationConfiguration } from './configuration.ts';
import type { Tier } from './plan-escalation.ts';
import { nextVersions, refOf, type CalendarTerms, type CalendarVersion, type Policy, type PolicyTerms } from './policy.ts';

/** A configuration with the tiers, which are not versioned: an escalation keeps where it went. */
export interface InForce extends Configuration {
  readonly tiers: readonly Tier[];
}

/**
 * The configuration to have in force after `now`, and how many policies, calendars and lists of tiers are new, changed, moved or gone; nothing when it is the
 * same. `latest` are the newest versions of all that ever were: what comes back after a while gets the next number.
 */
export function nextConfiguration(
  wanted: EscalationConfiguration,
  now: InForce,
  latest: { policies: readonly Policy[]; calendars: readonly CalendarVersion[] },
): { next: InForce; changed: number } {
  const calendars = nextVersions(
    Object.entries(wanted.calendars).map(([name, definition]): CalendarTerms => ({ name, definition })),
    latest.calendars,
  );
  const policies = nextVersions(
    wanted.policies.map((policy) => termsOf(policy, calendars)),
    latest.policies,
  );
  const changed = differences(policies, now.policies) + differences(calendars, now.calendars) + (isDeepStrictEqual(wanted.tiers, now.tiers) ? 0 : 1);
  return { next: { version: now.version + 1, policies, calendars, tiers: wanted.tiers }, changed };
}

/** A policy names the version of its calendar: an edited calendar is a new version of every policy that counts by it. */
function termsOf(configured: EscalationConfiguration['policies'][number], calendars: readonly CalendarVersion[]): PolicyTerms {
  const { name, match, calendar, teamCalendars, warnAt, pauseOn, reopenWindow, countFirstWait } = configured;
  const refFor = (wanted: string): string => refOf(calendars.find((version) => version.name === wanted)!);
  const metrics = Object.entries(METRICS) as [keyof typeof METRICS, (typeof METRICS)[keyof typeof METRICS]][];
  return {
    name,
    match,
    calendar: calendar === undefined ? null : refFor(calendar),
    teamCalendars: Object.fromEntries(Object.entries(teamCalendars).map(([team, teamCalendar]) => [team, refFor(teamCalendar)])),
    targetsMs: Object.fromEntries(metrics.flatMap(([field, { metric }]) => (configured[field] === undefined ? [] : [[metric, configured[field]]]))),
    warnAtPercent: warnAt,
    pauseOn: Object.fromEntries(metrics.map(([field, { metric }]) => [metric, pauseOn[field]])) as unknown as Policy['pauseOn'],
    reopenWindowMs: reopenWindow,
    countsFirstWait: countFirstWait,
  };
}

function differences<Version extends { readonly name: string }>(after: readonly Version[], before: readonly Version[]): number {
  const gone = before.filter(({ name }) => !after.some((version) => version.name === name)).length;
  return gone + after.filter((version, position) => !isDeepStrictEqual(version, before[position])).length;
}
