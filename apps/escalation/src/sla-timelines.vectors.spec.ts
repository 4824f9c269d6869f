import { expect } from '@jest/globals';
import { deadlineWithPauses, elapsedWithPauses, type CalendarDefinition } from '@tierline/calendar';
import type { SlaMetric } from '@tierline/events';
import { testVectors } from '@tierline/testing/vectors';
import type { Book } from './book.ts';
import { isOpen, stateOf, type Clock } from './clock.ts';
import { fold, lookAt, open, type FoldedTicket } from './fold-ticket.ts';
import { sampleBook, sampleCalendar, samplePolicy } from './sample-policy.ts';
import { isDone, ofMetric, type Fact } from './ticket-clocks.ts';

const MINUTE_MS = 60_000;
/** `update` is the wait for the next answer. */
const METRICS = { firstResponse: 'first_response', update: 'next_response', resolution: 'resolution' } as const satisfies Record<string, SlaMetric>;
type MetricName = keyof typeof METRICS;
const NAMES = Object.keys(METRICS) as MetricName[];

interface Vector {
  readonly id: string;
  readonly source: string;
  readonly calendar: CalendarDefinition;
  readonly targetsMinutes?: Readonly<Partial<Record<MetricName, number>>>;
  readonly events: readonly { readonly at: string; readonly type: string; readonly state?: string; readonly to?: string }[];
  readonly query?: { readonly kind: string; readonly start: string; readonly end?: string; readonly minutes?: number };
  readonly asOf?: string;
  /** What the project demands that it comes from. */
  readonly expected: object;
  /** What we demand, where that is something else. */
  readonly ours?: object;
}

await testVectors<Vector>({
  name: 'SLA timelines',
  vectorsIn(content) {
    const { vectors = [] } = content as { vectors?: Vector[] };
    return vectors.some(({ events }) => Array.isArray(events)) ? vectors : [];
  },
  opOf: ({ source, query }) => `${source.split('/')[0]} ${query?.kind ?? 'timeline'}`,
  check(vector) {
    const demanded = vector.ours ?? vector.expected;
    expect(answer(vector, Object.keys(demanded))).toEqual(demanded);
  },
});

function answer(vector: Vector, asked: readonly string[]): object {
  const book = bookOf(vector);
  const { at, state } = vector.events[0]!;
  const opened = { what: 'opened', at: Date.parse(at), under: 1, status: statusOf(state), byAgent: false, ...MATCHED } as const;
  if (vector.events[0]!.type !== 'created') throw new Error(`the first event is ${vector.events[0]!.type}, not created`);
  let { ticket } = open(opened, book);
  const tell = (fact: Fact): void => void ({ ticket } = fold(ticket, fact, book));
  for (const event of vector.events.slice(1)) factsOf(event, vector).forEach(tell);
  if (vector.query) return askedOf(ticket, vector.query, book);
  if (vector.asOf !== undefined) ({ ticket } = lookAt(ticket, Date.parse(vector.asOf), book));
  return Object.fromEntries(asked.map((what) => [what, valueOf(what, ticket)]));
}

const MATCHED = { priority: 'normal', channel: 'email', brand: undefined, labels: [] } as const;
/** zammad keeps the time of the first response apart from the contact of an agent, and counts the first wait as an update. */
const isZammad = ({ source }: Vector): boolean => source.startsWith('zammad/');

function bookOf(vector: Vector): Book {
  const { calendar, targetsMinutes } = vector;
  // Without targets the timeline is asked for times alone: then any will do.
  const targets = targetsMinutes ?? { resolution: 1 };
  const targetsMs = Object.fromEntries(NAMES.flatMap((name) => (targets[name] === undefined ? [] : [[METRICS[name], targets[name] * MINUTE_MS]])));
  const pauses = ['pending'] as const;
  const policy = samplePolicy(targetsMs, {
    calendar: 'hours/1',
    match: { priorities: ['normal'] },
    // Its closed tickets can be opened again, and then the wait for an answer goes on.
    pauseOn: { ...samplePolicy({}).pauseOn, first_response: pauses, next_response: isZammad(vector) ? [...pauses, 'solved'] : pauses, resolution: pauses },
    reopenWindowMs: 7 * 86_400_000,
    countsFirstWait: isZammad(vector),
  });
  return sampleBook([[policy]], [sampleCalendar('hours', calendar)]);
}

function factsOf({ at: time, type, to }: Vector['events'][number], vector: Vector): Fact[] {
  const at = Date.parse(time);
  switch (type) {
    case 'customerMessage':
      return [{ what: 'wrote', at }];
    case 'firstResponse':
      return [{ what: 'responded', at }];
    case 'agentReply':
      return [...(isZammad(vector) ? [] : [{ what: 'responded' as const, at }]), { what: 'replied', at }];
    case 'state':
      return [{ what: 'changed', at, under: 1, status: statusOf(to) }];
    case 'closed':
      return [{ what: 'changed', at, under: 1, status: 'solved' }];
    case 'policyRemoved':
      return [{ what: 'changed', at, under: 1, priority: 'low' }];
    default:
      throw new Error(`the event ${type} is not known here`);
  }
}

function statusOf(state: string | undefined): 'new' | 'open' | 'pending' | 'solved' {
  switch (state) {
    case 'new':
    case 'open':
    case 'pending':
      return state;
    case 'closed':
      return 'solved';
    default:
      throw new Error(`the state ${state} is not known here`);
  }
}

function askedOf({ head }: FoldedTicket, { kind, start, end, minutes }: NonNullable<Vector['query']>, book: Book): object {
  const clock = ofMetric(head.clocks, 'resolution')!;
  const calendar = book.calendar(clock.calendar);
  switch (kind) {
    case 'workingMinutes': {
      const from = Math.max(Date.parse(start), clock.startedAt);
      const to = Math.min(Date.parse(end!), clock.stoppedAt ?? Number.POSITIVE_INFINITY);
      return { minutes: Math.floor(elapsedWithPauses(calendar, from, to, clock.pauses!) / MINUTE_MS) };
    }
    case 'deadline': {
      const at = deadlineWithPauses(calendar, Date.parse(start), minutes! * MINUTE_MS, clock.pauses!);
      return { at: at === undefined ? null : iso(at) };
    }
    default:
      throw new Error(`the query ${kind} is not known here`);
  }
}

function valueOf(what: string, ticket: FoldedTicket): unknown {
  if (what === 'next') return iso(Math.min(...NAMES.map((name) => dueOf(ticket, name) ?? Number.POSITIVE_INFINITY)));
  if (what === 'breaches') return Object.fromEntries(NAMES.map((name) => [name, breachesOf(ticket, name)]));
  if (what === 'status') {
    const isMissed = NAMES.some((name) => breachesOf(ticket, name) > 0);
    if (isDone(ticket.head)) return isMissed ? 'missed' : 'hit';
    return isMissed ? 'active_with_misses' : 'active';
  }
  const [, name, field] = /^(firstResponse|update|resolution)(Due|Min|MaxMin|DiffMin)$/.exec(what) ?? [];
  if (name === undefined) throw new Error(`the result ${what} is not known here`);
  const metric = name as MetricName;
  if (field === 'Due') return iso(dueOf(ticket, metric) ?? Number.POSITIVE_INFINITY);
  const longestMs = longestOf(ticket, metric);
  if (longestMs === undefined) return null;
  const minutes = Math.floor(longestMs / MINUTE_MS);
  return field === 'DiffMin' ? ofMetric(ticket.head.clocks, METRICS[metric])!.targetMs / MINUTE_MS - minutes : minutes;
}

/** The deadline while the clock runs. */
function dueOf({ head }: FoldedTicket, name: MetricName): number | undefined {
  const clock = ofMetric(head.clocks, METRICS[name]);
  return clock && stateOf(clock) === 'running' ? clock.dueAt! : undefined;
}

const isFinished = (clock: Clock): boolean => !isOpen(clock) && !clock.cancelled;

/** The longest cycle that is finished. */
function longestOf({ head }: FoldedTicket, name: MetricName): number | undefined {
  const clock = ofMetric(head.clocks, METRICS[name]);
  const { longestMs } = ofMetric(head.tallies, METRICS[name]) ?? {};
  return clock && isFinished(clock) ? Math.max(clock.countedMs, longestMs ?? 0) : longestMs;
}

function breachesOf({ head }: FoldedTicket, name: MetricName): number {
  const clock = ofMetric(head.clocks, METRICS[name]);
  return (ofMetric(head.tallies, METRICS[name])?.missed ?? 0) + (clock?.breach && !clock.cancelled ? 1 : 0);
}

/** As the vectors write an instant, to the second; never is null. */
function iso(at: number): string | null {
  return at === Number.POSITIVE_INFINITY ? null : new Date(at).toISOString().replace('.000Z', 'Z');
}
