import { alwaysOpen, compileCalendar, type Calendar } from '@tierline/calendar';
import { refOf, type CalendarVersion, type Policy } from './policy.ts';

/** What was in force at some time: the policies in order. Never changed. */
export interface Configuration {
  readonly version: number;
  readonly policies: readonly Policy[];
  readonly calendars: readonly CalendarVersion[];
}

/** Every configuration that ever was, so that a fold over old facts decides as it did then. */
export class Book {
  private readonly configurations = new Map<number, Configuration>();
  private readonly policies = new Map<string, Policy>();
  private readonly definitions = new Map<string, CalendarVersion>();
  private readonly calendars = new Map<string, Calendar>();

  add(configuration: Configuration): void {
    this.configurations.set(configuration.version, configuration);
    for (const policy of configuration.policies) this.policies.set(refOf(policy), policy);
    for (const calendar of configuration.calendars) this.definitions.set(refOf(calendar), calendar);
  }

  configuration(version: number): Configuration {
    return known(this.configurations.get(version), 'configuration', version);
  }

  policy(ref: string): Policy {
    return known(this.policies.get(ref), 'policy', ref);
  }

  /** Compiled when it is first asked for. */
  calendar(ref: string | null): Calendar {
    if (ref === null) return alwaysOpen;
    let calendar = this.calendars.get(ref);
    if (!calendar) {
      calendar = compileCalendar(this.definition(ref).definition);
      this.calendars.set(ref, calendar);
    }
    return calendar;
  }

  /** The newest version of each policy and each calendar that ever was. */
  latest(): { policies: Policy[]; calendars: CalendarVersion[] } {
    return { policies: newest(this.policies.values()), calendars: newest(this.definitions.values()) };
  }

  definition(ref: string): CalendarVersion {
    return known(this.definitions.get(ref), 'calendar', ref);
  }
}

function newest<Version extends { readonly name: string; readonly version: number }>(all: Iterable<Version>): Version[] {
  const byName = new Map<string, Version>();
  for (const version of all) if (version.version > (byName.get(version.name)?.version ?? 0)) byName.set(version.name, version);
  return [...byName.values()];
}

function known<T>(found: T | undefined, what: string, ref: string | number): T {
  if (found === undefined) throw new Error(`there is no ${what} ${ref}`);
  return found;
}
