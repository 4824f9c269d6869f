import { expect, it } from '@jest/globals';
import { alwaysOpen } from './always-open.ts';
import { compileCalendar } from './compile-calendar.ts';
import { InvalidDurationError } from './errors.ts';
import { deadlineWithPauses, elapsedWithPauses, type Pause } from './pauses.ts';

const pause = (fromMs: number, toMs: number | null): Pause => ({ fromMs, toMs });

it('counts no millisecond of a pause, and none twice where pauses overlap', () => {
  expect(elapsedWithPauses(alwaysOpen, 0, 100, [pause(30, 40), pause(10, 20), pause(15, 35)])).toBe(70);
  expect(elapsedWithPauses(alwaysOpen, 0, 100, [pause(-10, 5), pause(95, 200), pause(300, 400)])).toBe(90);
  expect(elapsedWithPauses(alwaysOpen, 0, 100, [pause(60, null), pause(80, 90)])).toBe(60);
  expect(elapsedWithPauses(alwaysOpen, 0, 100, [pause(50, 50), pause(70, 60)])).toBe(100);
});

it('moves a deadline by what a pause takes, not by one that begins at it', () => {
  expect(deadlineWithPauses(alwaysOpen, 0, 50, [pause(10, 20), pause(60, 100)])).toBe(60);
  expect(deadlineWithPauses(alwaysOpen, 0, 51, [pause(10, 20), pause(60, 100)])).toBe(101);
});

it('knows no deadline while a pause lasts, unless it came before', () => {
  expect(deadlineWithPauses(alwaysOpen, 0, 51, [pause(50, null)])).toBeUndefined();
  expect(deadlineWithPauses(alwaysOpen, 0, 50, [pause(50, null)])).toBe(50);
  expect(deadlineWithPauses(alwaysOpen, 0, 50, [pause(-5, null)])).toBeUndefined();
});

it('answers for no time at all the next instant that counts', () => {
  expect(deadlineWithPauses(alwaysOpen, 15, 0, [pause(10, 20), pause(20, 30)])).toBe(30);
  expect(deadlineWithPauses(alwaysOpen, 5, 0, [pause(10, null)])).toBe(5);
});

it('moves nothing by a pause outside the hours', () => {
  const calendar = compileCalendar({ timeZone: 'UTC', hours: { mon: [['09:00', '17:00']], tue: [['09:00', '17:00']] } });
  const at = (iso: string): number => Date.parse(iso);
  const night = pause(at('2026-06-01T17:00Z'), at('2026-06-02T09:00Z'));
  expect(deadlineWithPauses(calendar, at('2026-06-01T16:00Z'), 7_200_000, [night])).toBe(at('2026-06-02T10:00Z'));
});

it('refuses a duration that is none, whatever is paused', () => {
  expect(() => deadlineWithPauses(alwaysOpen, 0, -1, [pause(0, null)])).toThrow(InvalidDurationError);
});
