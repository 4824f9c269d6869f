import { expect } from '@jest/globals';
import { testVectors } from '@tierline/testing/vectors';
import type { Segment } from './calendar.ts';
import { compileCalendar } from './compile-calendar.ts';
import type { CalendarDefinition } from './definition.ts';
import { deadlineWithPauses } from './pauses.ts';
import { wallToInstant } from './wall-to-instant.ts';

interface Vector {
  readonly id: string;
  readonly op: string;
  readonly calendar: CalendarDefinition;
  /** Which of them are there depends on the op. */
  readonly input: {
    readonly start: string;
    readonly end: string;
    readonly at: string;
    readonly local: string;
    readonly seconds: number;
    readonly take: number;
    readonly pauses: readonly (readonly [string, string | null])[];
  };
  /** What the project demands that it comes from. */
  readonly expected: object;
  /** What we demand, where that is known apart. */
  readonly ours?: object;
}

/** The errors of the vectors as ours. */
const ERRORS: Readonly<Record<string, string>> = { 'calendar-never-open': 'calendar.never_open', 'invalid-duration': 'duration.invalid' };

await testVectors<Vector>({
  name: 'business hours',
  vectorsIn(content) {
    const { vectors = [] } = content as { vectors?: Vector[] };
    return vectors.some(({ op }) => op !== undefined) ? vectors : [];
  },
  opOf: ({ op }) => op,
  leftOut({ op, input, expected, ours }) {
    if (op === 'addBusinessDays') return 'there is no arithmetic in days here';
    const refusesZero = op === 'add' && input.seconds === 0 && ours === undefined && 'error' in expected;
    // Of a policy's target, where zero is refused; a zero duration has an answer, which other vectors hold.
    return refusesZero ? 'is about the target of a policy, not about a duration' : undefined;
  },
  check(vector) {
    const demanded = vector.ours ?? vector.expected;
    if ('error' in demanded) {
      const code = ERRORS[String(demanded.error)] ?? demanded.error;
      expect(() => answer(vector)).toThrow(expect.objectContaining({ code }));
    } else expect(answer(vector)).toEqual(inMs(demanded));
  },
});

function answer({ op, calendar: definition, input }: Vector): object {
  if (op === 'wallToInstant') return { at: wallToInstant(input.local, definition.timeZone) };
  const calendar = compileCalendar(definition);
  const { start, end, at } = { start: Date.parse(input.start), end: Date.parse(input.end), at: Date.parse(input.at) };
  const durationMs = input.seconds * 1000;
  switch (op) {
    case 'add':
      return { at: calendar.deadline(start, durationMs) };
    case 'subtract':
      return { at: calendar.subtract(start, durationMs) };
    case 'elapsed':
      return { seconds: calendar.elapsed(start, end) / 1000 };
    case 'isOpen':
      return { open: calendar.isOpen(at) };
    case 'segments':
      return { segments: first(input.take, input.end === undefined ? calendar.segmentsAfter(start) : calendar.segments(start, end)) };
    case 'segmentsBefore':
      return { segments: first(input.take, calendar.segmentsBefore(end)) };
    case 'addWithPauses': {
      const pauses = input.pauses.map(([from, to]) => ({ fromMs: Date.parse(from), toMs: to === null ? null : Date.parse(to) }));
      return { at: deadlineWithPauses(calendar, start, durationMs, pauses) };
    }
    default:
      throw new Error(`the op ${op} is not known here`);
  }
}

/** The first `take` of them, all without it, as the vectors write them. */
function first(take: number | undefined, segments: Iterable<Segment>): [number, number][] {
  const taken: [number, number][] = [];
  for (const { startMs, endMs } of segments) {
    taken.push([startMs, endMs]);
    if (taken.length === take) break;
  }
  return taken;
}

/** What a vector demands, with its instants in milliseconds. */
function inMs(demanded: object): unknown {
  return JSON.parse(JSON.stringify(demanded), (_, value: unknown) => (typeof value === 'string' ? Date.parse(value) : value));
}
