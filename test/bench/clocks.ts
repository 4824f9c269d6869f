import { compileCalendar, type CalendarDefinition } from '@tierline/calendar';
import { Book } from '../../apps/escalation/src/book.ts';
import { METRICS } from '../../apps/escalation/src/configuration.ts';
import { fold, open, type FoldedTicket } from '../../apps/escalation/src/fold-ticket.ts';
import type { Policy } from '../../apps/escalation/src/policy.ts';
import type { Fact } from '../../apps/escalation/src/ticket-clocks.ts';
import { tell } from '../../apps/escalation/src/ticket-story.ts';
import { medianOf, rate, type Bench, type Benchmark, type Figure } from './figure.ts';

const TICKETS = 20_000;
const AGES = [10, 1_000, 10_000];
/** Folded again and again from the same age: a ticket must not grow old by being measured. */
const EVENTS_AT_AGE = 100;
const ROUNDS = 1_000;
const GOAL = 300_000;
const START = Date.UTC(2026, 2, 2, 8);
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const WORKING_DAY: [string, string][] = [['09:00', '17:30']];
const OFFICE: CalendarDefinition = {
  timeZone: 'Europe/Berlin',
  hours: { mon: WORKING_DAY, tue: WORKING_DAY, wed: WORKING_DAY, thu: WORKING_DAY, fri: WORKING_DAY },
};
const POLICY: Policy = {
  name: 'standard',
  version: 1,
  match: {},
  calendar: 'office/1',
  teamCalendars: {},
  targetsMs: { first_response: HOUR_MS, next_response: 4 * HOUR_MS, resolution: 24 * HOUR_MS },
  warnAtPercent: [50, 80],
  pauseOn: Object.fromEntries(Object.values(METRICS).map(({ metric, pauseOn }) => [metric, pauseOn])) as unknown as Policy['pauseOn'],
  reopenWindowMs: 7 * 24 * HOUR_MS,
  countsFirstWait: false,
};

/** What folding one event into a ticket's clocks costs, and that it costs the same on an old ticket. */
export const clocks: Benchmark = async (bench) => {
  const book = new Book();
  book.add({ version: 1, policies: [POLICY], calendars: [{ name: 'office', version: 1, definition: OFFICE }] });
  const bare = await medianOf(bench, 'clocks: events/s of a bare loop', () => Promise.resolve(bareLoop()));
  const figures = [rate('SLA events folded', await medianOf(bench, 'clocks: events/s', () => Promise.resolve(manyTickets(book))), GOAL, bare)];
  for (const age of AGES) figures.push(await atAge(bench, book, age));
  return figures;
};

/** A life in eight events: three clocks, one pause, two cycles of the next response. */
const life = (at: number): Fact[] => [
  { what: 'responded', at: at + 10 * MINUTE_MS },
  { what: 'replied', at: at + 10 * MINUTE_MS },
  { what: 'changed', at: at + 10 * MINUTE_MS + 1, under: 1, status: 'pending' },
  { what: 'wrote', at: at + 90 * MINUTE_MS },
  { what: 'changed', at: at + 90 * MINUTE_MS + 1, under: 1, status: 'open' },
  { what: 'replied', at: at + 3 * HOUR_MS },
  { what: 'wrote', at: at + 20 * HOUR_MS },
  { what: 'replied', at: at + 21 * HOUR_MS },
];
function manyTickets(book: Book): number {
  const lives = Array.from({ length: TICKETS }, (_, index) => ({ opening: tell.opened({ at: START + index * 1_000 }), facts: life(START + index * 1_000) }));
  const start = performance.now();
  let told = 0;
  for (const { opening, facts } of lives) {
    let folded = open(opening, book);
    for (const fact of facts) {
      folded = fold(folded.ticket, fact, book);
      told += folded.changes.length;
    }
  }
  return perSecond(TICKETS * 9, start, told);
}

async function atAge(bench: Bench, book: Book, age: number): Promise<Figure> {
  let young: FoldedTicket = open(tell.opened({ at: START }), book).ticket;
  let at = START;
  const next = (index: number): Fact => {
    at += 10 * MINUTE_MS;
    const kind = index % 4;
    if (kind === 0) return { what: 'wrote', at };
    if (kind === 1) return { what: 'replied', at };
    return { what: 'changed', at, under: 1, status: kind === 2 ? 'pending' : 'open' };
  };
  for (let index = 0; index < age; index++) young = fold(young, next(index), book).ticket;
  const facts = Array.from({ length: EVENTS_AT_AGE }, (_, index) => next(index));
  const value = await medianOf(bench, `clocks: events/s at ${age} events`, () => {
    let told = 0;
    const start = performance.now();
    for (let round = 0; round < ROUNDS; round++) {
      let ticket = young;
      for (const fact of facts) {
        const folded = fold(ticket, fact, book);
        ticket = folded.ticket;
        told += folded.changes.length;
      }
    }
    return Promise.resolve(perSecond(ROUNDS * EVENTS_AT_AGE, start, told));
  });
  return rate(`the next SLA event of a ticket of ${age.toLocaleString('en-US')}`, value, GOAL);
}

/** The least that could be done: one clock per ticket that knows no policy, no lateness and no cycles, and what is due. */
function bareLoop(): number {
  const calendar = compileCalendar(OFFICE);
  const lives = Array.from({ length: TICKETS }, (_, index) => ({ at: START + index * 1_000, facts: life(START + index * 1_000) }));
  const start = performance.now();
  let check = 0;
  for (const { at, facts } of lives) {
    let [countedMs, since, dueAt, answered] = [0, at, calendar.deadline(at, 24 * HOUR_MS), 0];
    for (const fact of facts) {
      if (fact.what === 'responded') answered ||= calendar.elapsed(at, fact.at);
      if (fact.what === 'wrote') check += calendar.deadline(fact.at, 4 * HOUR_MS);
      if (fact.what !== 'changed') continue;
      if (fact.status === 'pending') countedMs += calendar.elapsed(since, fact.at);
      else [since, dueAt] = [fact.at, calendar.deadline(fact.at, 24 * HOUR_MS - countedMs)];
    }
    check += dueAt + answered;
  }
  return perSecond(TICKETS * 9, start, check);
}

function perSecond(count: number, start: number, check: number): number {
  if (!Number.isFinite(check)) throw new Error('nothing was computed');
  return (count / (performance.now() - start)) * 1_000;
}
