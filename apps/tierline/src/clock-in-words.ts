/** A clock and the spans of its time, as the escalation service explains it. */
export interface ExplainedClock {
  metric: string;
  cycle: number;
  policy: string;
  policyVersion: number;
  calendar: string | null;
  timeZone: string | null;
  state: string;
  targetMs: number;
  startedAt: string;
  dueAt: string | null;
  stoppedAt: string | null;
  breachedAt: string | null;
  breachCause: string | null;
  cancelled: string | null;
  spans: { kind: string; from: string; to: string; ms: number; reason?: string }[];
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
] as const;

/** Why a clock is due when it is, for people: one line a span, in the wall time of its calendar, and the sum that is its target. */
export function clockInWords(clock: ExplainedClock): string {
  const { metric, cycle, policy, policyVersion, calendar, timeZone, state, targetMs, dueAt, spans } = clock;
  const zone = timeZone ?? 'UTC';
  const rows = spans.map(({ kind, from, ms, reason }) => [wallTime(from, zone), inUnits(ms), kind === 'paused' ? `paused: ${reason}` : kind] as const);
  const countedMs = spans.reduce((sum, { kind, ms }) => sum + (kind === 'counted' ? ms : 0), 0);
  const width = Math.max(...rows.map(([, length]) => length.length), 0);
  const lines = rows.map(([from, length, kind]) => `  ${from}  ${length.padStart(width)}  ${kind}`);
  const end =
    dueAt === null
      ? `  nobody knows when it will be due: ${inUnits(countedMs)} of ${inUnits(targetMs)} have counted`
      : `  ${wallTime(dueAt, zone)}  due: ${inUnits(countedMs)} have counted`;
  const calendarName = calendar === null ? 'all time counts' : `calendar ${calendar}`;
  return [
    `${metric.replace('_', ' ')}${cycle > 1 ? ` (${cycle})` : ''}: ${[state, ...whatElse(clock, zone)].join(', ')}`,
    `  target ${inUnits(targetMs)} by policy ${policy}/${policyVersion}, ${calendarName}, times in ${zone}`,
    ...lines,
    end,
  ].join('\n');
}

function whatElse({ stoppedAt, breachedAt, breachCause, cancelled }: ExplainedClock, zone: string): string[] {
  return [
    ...(cancelled === null ? [] : [`for ${cancelled.replace('_', ' ')}`]),
    ...(stoppedAt === null ? [] : [`stopped ${wallTime(stoppedAt, zone)}`]),
    ...(breachedAt === null ? [] : [`breached ${wallTime(breachedAt, zone)}${breachCause === 'time' ? '' : ` by a ${String(breachCause).replace('_', ' ')}`}`]),
  ];
}

/** The largest units that say it exactly: `1d 2h 30m`. */
function inUnits(ms: number): string {
  const parts: string[] = [];
  let left = ms;
  for (const [unit, size] of UNITS) {
    const count = Math.floor(left / size);
    if (count > 0) parts.push(`${count}${unit}`);
    left -= count * size;
  }
  return parts.join(' ') || '0s';
}

/** `Thu 2026-03-05 16:00:00`. */
function wallTime(instant: string, timeZone: string): string {
  const date = new Date(instant);
  const day = new Intl.DateTimeFormat('en-GB', { timeZone, weekday: 'short' }).format(date);
  // Sweden writes dates as ISO 8601 does.
  return `${day} ${new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' }).format(date)}`;
}
