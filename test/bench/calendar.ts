import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { compileCalendar, type Calendar, type CalendarDefinition, type Segment } from '@tierline/calendar';
import { Temporal } from 'temporal-polyfill';
import { medianOf, rate, type Bench, type Benchmark, type Figure } from './figure.ts';

const DEADLINES = 1_000_000;
const BARE_DEADLINES = 20_000;
const YEARS = 3_000;
const MAX_COMPILE_US = 50;
const YEAR = 2026;
const YEAR_MS = Date.UTC(YEAR + 1, 0) - Date.UTC(YEAR, 0);
const HOUR_MS = 3_600_000;

const WORKING_DAY: [string, string][] = [
  ['09:00', '12:30'],
  ['13:00', '17:30'],
];
const OFFICE: CalendarDefinition = {
  timeZone: 'Europe/Berlin',
  hours: { mon: WORKING_DAY, tue: WORKING_DAY, wed: WORKING_DAY, thu: WORKING_DAY, fri: WORKING_DAY },
  shifts: { '2026-12-24': [['09:00', '12:00']] },
  breaks: { '2026-06-15': [['10:00', '11:00']] },
  holidays: ['2026-01-01', '2026-04-03', '2026-04-06', '2026-05-01', '2026-12-25'],
};

/** Business time: deadlines from a compiled calendar, and what it costs to compile one. */
export const calendar: Benchmark = async (bench) => {
  // First, while no garbage of the others is left to be freed meanwhile.
  const bytes = memory();
  return [await deadlines(bench), await compiling(bench), bytes];
};

async function deadlines(bench: Bench): Promise<Figure> {
  const compiled = compileCalendar(OFFICE);
  const starts = Float64Array.from({ length: DEADLINES }, () => Date.UTC(YEAR, 0) + Math.floor(Math.random() * YEAR_MS));
  const durations = Float64Array.from({ length: DEADLINES }, () => Math.floor(Math.random() * 40 * HOUR_MS));
  // Two years, since a deadline may lie in the next; compiled before the clock runs.
  const segments = compiled.segments(Date.UTC(YEAR, 0), Date.UTC(YEAR + 2, 0));
  const ours = await medianOf(bench, 'calendar: deadlines/s', async () => {
    const start = performance.now();
    let sum = 0;
    for (let n = 0; n < DEADLINES; n++) sum += compiled.deadline(starts[n]!, durations[n]!);
    return perSecond(DEADLINES, start, sum);
  });
  const bare = await medianOf(bench, 'calendar: deadlines/s of a loop over the segments', async () => {
    const start = performance.now();
    let sum = 0;
    for (let n = 0; n < BARE_DEADLINES; n++) sum += bareDeadline(segments, starts[n]!, durations[n]!);
    return perSecond(BARE_DEADLINES, start, sum);
  });
  return rate('business deadlines', ours, 2_000_000, bare);
}

function bareDeadline(segments: readonly Segment[], fromMs: number, durationMs: number): number {
  let leftMs = durationMs;
  for (const { startMs, endMs } of segments) {
    if (endMs <= fromMs) continue;
    const openMs = endMs - Math.max(startMs, fromMs);
    if (openMs >= leftMs) return endMs - openMs + leftMs;
    leftMs -= openMs;
  }
  return Number.NaN;
}

async function compiling(bench: Bench): Promise<Figure> {
  const years = async (): Promise<number> => {
    const calendars = Array.from({ length: YEARS }, () => compileCalendar(OFFICE));
    const start = performance.now();
    for (const compiled of calendars) compileYear(compiled);
    return ((performance.now() - start) * 1000) / YEARS;
  };
  // The engine takes some thousand years to find its best code.
  await years();
  const us = await medianOf(bench, 'calendar: µs to compile a year', years);
  const bareUs = await medianOf(bench, 'calendar: µs to compile a year, each time of day by Temporal', async () => {
    const start = performance.now();
    bareYear();
    return (performance.now() - start) * 1000;
  });
  const rest = { bare: Math.round(bareUs), ratio: Math.round(bareUs / us), goal: `≤ ${MAX_COMPILE_US} µs`, met: us <= MAX_COMPILE_US };
  return { name: 'a calendar-year compiled', value: Number(us.toFixed(1)), unit: 'µs', ...rest };
}

function bareYear(): Segment[] {
  const segments: Segment[] = [];
  const { timeZone, shifts = {}, holidays = [] } = OFFICE;
  for (let date = Temporal.PlainDate.from(`${YEAR}-01-01`); date.year === YEAR; date = date.add({ days: 1 })) {
    if (holidays.includes(date.toString())) continue;
    for (const interval of shifts[date.toString()] ?? (date.dayOfWeek <= 5 ? WORKING_DAY : [])) {
      const [startMs = 0, endMs = 0] = interval.map((time) => date.toZonedDateTime({ timeZone, plainTime: time }).epochMilliseconds);
      segments.push({ startMs, endMs });
    }
  }
  return segments;
}

function memory(): Figure {
  const before = bytesInUse();
  const calendars = Array.from({ length: YEARS }, () => compileCalendar(OFFICE));
  for (const compiled of calendars) compileYear(compiled);
  const bytes = (bytesInUse() - before) / calendars.length;
  return { name: 'memory of a calendar and one year', value: Math.round(bytes), unit: 'bytes', goal: 'stated', met: true };
}

function bytesInUse(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** A calendar compiles the years that it is asked for. */
const compileYear = (compiled: Calendar): boolean => compiled.isOpen(Date.UTC(YEAR, 6));

/** The sum of the answers, so that none of them is optimised away. */
function perSecond(count: number, start: number, sum: number): number {
  const seconds = (performance.now() - start) / 1000;
  if (Number.isNaN(sum)) throw new Error('a deadline lies beyond the segments');
  return count / seconds;
}
