import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { arbitraryPauses, arbitraryPlace, near } from '../test/arbitrary-calendar.ts';
import { QUARTER_MS, SlowCalendar } from '../test/slow-calendar.ts';
import { compileCalendar } from './compile-calendar.ts';
import type { CalendarDefinition } from './definition.ts';
import { InvalidCalendarError, NeverOpenError } from './errors.ts';
import { deadlineWithPauses, elapsedWithPauses } from './pauses.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const durationMs = fc.oneof(
  fc.constant(0),
  fc.nat({ max: 200 }).map((quarters) => quarters * QUARTER_MS),
  fc.nat({ max: 40 * HOUR_MS }),
);

describe('a compiled calendar decides like the slow one', () => {
  const cases = arbitraryPlace.chain(({ definition, around }) =>
    fc.record({
      definition: fc.constant(definition),
      around: fc.constant(around),
      from: near(around, 3),
      to: near(around, 3),
      durationMs,
      pauses: arbitraryPauses(around),
    }),
  );

  it('without pauses', () => {
    fc.assert(
      fc.property(cases, ({ definition, around, from, to, durationMs }) => {
        const slow = new SlowCalendar(definition, around, 8);
        const calendar = compiled(definition);
        if (!calendar) return expect(slow.elapsed(slow.fromMs, slow.toMs)).toBe(0);
        expect(calendar.isOpen(from)).toBe(slow.isOpen(from));
        expect(calendar.elapsed(from, to)).toBe(slow.elapsed(from, to));
        expect(known(slow, () => calendar.deadline(from, durationMs))).toBe(slow.deadline(from, durationMs));
        expect(known(slow, () => calendar.nextOpen(from))).toBe(slow.deadline(from, 0));
        expect(known(slow, () => calendar.subtract(from, durationMs))).toBe(slow.subtract(from, durationMs));
        let endMs = from - 1;
        for (const segment of calendar.segments(from, to)) {
          expect(segment.startMs).toBeGreaterThan(endMs);
          expect(calendar.elapsed(segment.startMs, segment.endMs)).toBe(segment.endMs - segment.startMs);
          endMs = segment.endMs;
        }
        expect(sum(calendar.segments(from, to))).toBe(slow.elapsed(from, to));
      }),
      { numRuns: 80 },
    );
  });

  it('with pauses', () => {
    fc.assert(
      fc.property(cases, ({ definition, around, from, to, durationMs, pauses }) => {
        const slow = new SlowCalendar(definition, around, 8, pauses);
        const calendar = compiled(definition);
        if (!calendar) return;
        expect(elapsedWithPauses(calendar, from, to, pauses)).toBe(slow.elapsed(from, to));
        expect(known(slow, () => deadlineWithPauses(calendar, from, durationMs, pauses))).toBe(slow.deadline(from, durationMs));
      }),
      { numRuns: 80 },
    );
  });
});

describe('a calendar that is open each week, over years', () => {
  const cases = arbitraryPlace.chain(({ definition, around }) =>
    fc.record({
      definition: fc.constant<CalendarDefinition>({ ...definition, hours: { ...definition.hours, wed: [['10:15', '16:00']] } }),
      times: fc.array(near(around, 500), { minLength: 3, maxLength: 3 }).map((times) => times.sort((a, b) => a - b)),
      durationMs: fc.oneof(durationMs, fc.nat({ max: 9_000 * HOUR_MS })),
      moreMs: durationMs,
    }),
  );

  it('counts each millisecond once: elapsed time adds up', () => {
    fc.assert(
      fc.property(cases, ({ definition, times: [a = 0, b = 0, c = 0] }) => {
        const calendar = compileCalendar(definition);
        expect(calendar.elapsed(a, b) + calendar.elapsed(b, c)).toBe(calendar.elapsed(a, c));
        expect(calendar.elapsed(c, a)).toBe(0);
        expect(sum(calendar.segments(a, c))).toBe(calendar.elapsed(a, c));
      }),
      { numRuns: 80 },
    );
  });

  it('answers the least instant by which a duration has elapsed, and backward the greatest from which it does', () => {
    fc.assert(
      fc.property(cases, ({ definition, times: [, at = 0], durationMs }) => {
        const calendar = compileCalendar(definition);
        const due = calendar.deadline(at, durationMs);
        const start = calendar.subtract(at, durationMs);
        expect(due).toBeGreaterThanOrEqual(at);
        expect(start).toBeLessThanOrEqual(at);
        expect(calendar.elapsed(at, due)).toBe(durationMs);
        expect(calendar.elapsed(start, at)).toBe(durationMs);
        if (durationMs > 0) {
          expect(calendar.elapsed(at, due - 1)).toBe(durationMs - 1);
          expect(calendar.elapsed(start + 1, at)).toBe(durationMs - 1);
        } else {
          expect(calendar.isOpen(due)).toBe(true);
          expect(calendar.isOpen(start - 1)).toBe(true);
        }
      }),
      { numRuns: 80 },
    );
  });

  it('never answers earlier for a later start or a longer duration', () => {
    fc.assert(
      fc.property(cases, ({ definition, times: [a = 0, b = 0], durationMs, moreMs }) => {
        const calendar = compileCalendar(definition);
        expect(calendar.deadline(a, durationMs)).toBeLessThanOrEqual(calendar.deadline(b, durationMs));
        expect(calendar.subtract(a, durationMs)).toBeLessThanOrEqual(calendar.subtract(b, durationMs));
        expect(calendar.deadline(a, durationMs)).toBeLessThanOrEqual(calendar.deadline(a, durationMs + moreMs));
      }),
      { numRuns: 80 },
    );
  });

  it('answers the same whatever it was asked before, in either direction of time', () => {
    fc.assert(
      fc.property(cases, ({ definition, times: [a = 0, b = 0, c = 0], durationMs }) => {
        const used = compileCalendar(definition);
        for (const at of [b, c + 400 * DAY_MS, a - 400 * DAY_MS]) used.isOpen(at);
        const fresh = compileCalendar(definition);
        expect(used.deadline(a, durationMs)).toBe(fresh.deadline(a, durationMs));
        expect(take(20, used.segmentsAfter(b))).toEqual(take(20, fresh.segmentsAfter(b)));
        const freshToo = compileCalendar(definition);
        expect(used.subtract(c, durationMs)).toBe(freshToo.subtract(c, durationMs));
        expect(take(20, used.segmentsBefore(b))).toEqual(take(20, freshToo.segmentsBefore(b)));
      }),
      { numRuns: 30 },
    );
  });

  it('with more holidays is never due earlier', () => {
    fc.assert(
      fc.property(cases, ({ definition, times: [, at = 0], durationMs, moreMs }) => {
        const holiday = new Date(at + moreMs).toISOString().slice(0, 10);
        const less = compileCalendar({ ...definition, holidays: [...(definition.holidays ?? []), holiday] });
        expect(less.deadline(at, durationMs)).toBeGreaterThanOrEqual(compileCalendar(definition).deadline(at, durationMs));
      }),
      { numRuns: 80 },
    );
  });
});

/** Undefined where the definition is never open. */
function compiled(definition: CalendarDefinition): ReturnType<typeof compileCalendar> | undefined {
  try {
    return compileCalendar(definition);
  } catch (error) {
    if (error instanceof InvalidCalendarError && error.code === 'calendar.never_open') return undefined;
    throw error;
  }
}

/** The answer, if it lies in the days that the slow calendar knows. */
function known({ fromMs, toMs }: SlowCalendar, answer: () => number | undefined): number | undefined {
  try {
    const atMs = answer();
    return atMs !== undefined && atMs > fromMs && atMs <= toMs ? atMs : undefined;
  } catch (error) {
    if (error instanceof NeverOpenError) return undefined;
    throw error;
  }
}

function sum(segments: readonly { startMs: number; endMs: number }[]): number {
  return segments.reduce((total, { startMs, endMs }) => total + endMs - startMs, 0);
}

function take<T>(count: number, items: Iterable<T>): T[] {
  const taken: T[] = [];
  for (const item of items) if (taken.push(item) === count) break;
  return taken;
}
