import { calendarDefinition, compileCalendar, InvalidCalendarError, type CalendarDefinition } from '@tierline/calendar';
import { channelName, ticketPriority, type SlaMetric, type TicketStatus } from '@tierline/events';
import { duration } from '@tierline/service';
import { z } from 'zod';

const HIGHEST_TIER = 10;
/** Calendars know some centuries; a target has to end in them. */
const LONGEST_TARGET_MS = 10 * 366 * 86_400_000;

const name = z.string().regex(/^[a-z][a-z0-9_-]{0,63}$/, 'expected lower-case letters, digits, - and _, beginning with a letter');
const targetMs = duration.refine((ms) => ms > 0 && ms <= LONGEST_TARGET_MS, 'a target is longer than nothing and at most ten years');

/** How each metric is called here, and the ticket states in which its clock stands still unless a policy says otherwise. */
export const METRICS = {
  firstResponse: { metric: 'first_response', pauseOn: [] },
  nextResponse: { metric: 'next_response', pauseOn: [] },
  periodicUpdate: { metric: 'periodic_update', pauseOn: [] },
  pausableUpdate: { metric: 'pausable_update', pauseOn: ['pending'] },
  requesterWait: { metric: 'requester_wait', pauseOn: ['pending'] },
  agentWork: { metric: 'agent_work', pauseOn: ['pending', 'on_hold'] },
  resolution: { metric: 'resolution', pauseOn: ['pending', 'on_hold'] },
} as const satisfies Record<string, { metric: SlaMetric; pauseOn: readonly TicketStatus[] }>;
type MetricName = keyof typeof METRICS;
const METRIC_NAMES = Object.keys(METRICS) as MetricName[];

/** One field for each metric. */
function perMetric<Schema extends z.ZodType>(schemaOf: (name: MetricName) => Schema): Record<MetricName, Schema> {
  return Object.fromEntries(METRIC_NAMES.map((metric) => [metric, schemaOf(metric)])) as Record<MetricName, Schema>;
}

/** The states that may pause a clock. Solving a ticket stops the clocks of the work, and ends the waits for an answer, unless it pauses them. */
const pausingStatus = z.enum(['new', 'open', 'pending', 'on_hold']);
const pausingWait = z.enum([...pausingStatus.options, 'solved']);
const WAITS: readonly MetricName[] = ['nextResponse', 'periodicUpdate', 'pausableUpdate'];
const percents = z
  .array(z.number().gt(0).lt(100))
  .max(10)
  .refine((all) => new Set(all).size === all.length, 'a percentage stands here twice')
  .transform((all) => [...all].sort((a, b) => a - b));

const policy = z
  .strictObject({
    name,
    /** Which tickets: each field that is given has to match, `labels` by any of them. Without fields, all. */
    match: z
      .strictObject({
        priorities: z.array(ticketPriority).min(1).optional(),
        channels: z.array(channelName).min(1).optional(),
        labels: z.array(z.string().min(1)).min(1).optional(),
        brands: z.array(z.string().min(1)).min(1).optional(),
      })
      .default({}),
    /** The calendar by which its clocks count; without one all time counts. */
    calendar: name.optional(),
    /** By team: the calendar that counts instead while one of the team has the ticket. */
    teamCalendars: z.record(z.string().min(1), name).default({}),
    ...perMetric(() => targetMs.optional()),
    /** Percent of the target, on the same business clock. */
    warnAt: percents
      .or(
        z
          .number()
          .gt(0)
          .lt(100)
          .transform((percent) => [percent]),
      )
      .default([80]),
    /** The ticket states in which a clock stands still. */
    pauseOn: z
      .strictObject(
        perMetric((metric) => z.array<z.ZodType<TicketStatus>>(WAITS.includes(metric) ? pausingWait : pausingStatus).default([...METRICS[metric].pauseOn])),
      )
      .prefault({}),
    /** A ticket that is reopened later begins its work clocks anew. */
    reopenWindow: duration.default(7 * 86_400_000),
    /** Whether the wait for the first response counts as a next response too. */
    countFirstWait: z.boolean().default(false),
  })
  .refine((terms) => METRIC_NAMES.some((metric) => terms[metric] !== undefined), `has none of ${METRIC_NAMES.join(', ')}`);

/** The `escalation` section of tierline.yaml. */
export const escalationConfiguration = z
  .strictObject({
    calendars: z
      .record(name, calendarDefinition)
      .superRefine((calendars, context) => {
        for (const [calendar, definition] of Object.entries(calendars)) {
          for (const { path, message } of faultsOf(definition)) context.addIssue({ code: 'custom', path: [calendar, ...(path ? [path] : [])], message });
        }
      })
      .default({}),
    /** In order: the first that matches a ticket is its policy. */
    policies: z
      .array(policy)
      .superRefine((policies, context) => noneTwice(policies, 'name', context))
      .default([]),
    /** The team that takes what is escalated to a tier. */
    tiers: z
      .array(z.strictObject({ tier: z.int().min(1).max(HIGHEST_TIER), team: z.string().min(1) }))
      .superRefine((tiers, context) => noneTwice(tiers, 'tier', context))
      .default([]),
  })
  .superRefine(({ calendars, policies }, context) => {
    policies.forEach(({ calendar, teamCalendars }, index) => {
      const missing = (calendarName: string, path: (string | number)[]): void => {
        if (!(calendarName in calendars))
          context.addIssue({ code: 'custom', path: ['policies', index, ...path], message: `there is no calendar "${calendarName}"` });
      };
      if (calendar !== undefined) missing(calendar, ['calendar']);
      for (const [team, teamCalendar] of Object.entries(teamCalendars)) missing(teamCalendar, ['teamCalendars', team]);
    });
  });
export type EscalationConfiguration = z.infer<typeof escalationConfiguration>;

function faultsOf(definition: CalendarDefinition): readonly { path: string; message: string }[] {
  // What is wrong with its form has been said.
  if (!calendarDefinition.safeParse(definition).success) return [];
  try {
    compileCalendar(definition);
    return [];
  } catch (error) {
    if (error instanceof InvalidCalendarError) return error.faults;
    throw error;
  }
}

function noneTwice<Item>(items: readonly Item[], field: keyof Item & string, context: z.RefinementCtx): void {
  items.forEach((item, index) => {
    if (items.findIndex((other) => other[field] === item[field]) < index) {
      context.addIssue({ code: 'custom', path: [index, field], message: `${JSON.stringify(item[field])} stands here twice` });
    }
  });
}
