import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { TicketStatus } from '@tierline/events';
import { explain, type Span } from './explain.ts';
import { sampleBook, sampleCalendar, samplePolicy } from './sample-policy.ts';
import { story, tell } from './ticket-story.ts';

const HOUR = 3_600_000;
const definition = {
  timeZone: 'Europe/Berlin',
  hours: { thu: [['09:00', '17:00']], fri: [['09:00', '17:00']], mon: [['09:00', '17:00']] } as Record<'thu' | 'fri' | 'mon', [string, string][]>,
  holidays: ['2026-03-06'],
};
const book = sampleBook([[samplePolicy({ resolution: 10 * HOUR }, { calendar: 'office/1' })]], [sampleCalendar('office', definition)]);
const at = (time: string): number => Date.parse(time);
const opened = tell.opened({ at: at('2026-03-05T15:00:00+01:00') });
const explained = (heard: Parameters<typeof story>[1], now: number): Span[] => {
  const clock = story(book, heard, opened).clock('resolution');
  return explain(clock, now, book.calendar(clock.calendar), definition);
};

it('says of each stretch of time why it counted or did not', () => {
  const spans = explained([tell.becomes(at('2026-03-05T16:00:00+01:00'), 'pending'), tell.becomes(at('2026-03-05T16:30:00+01:00'), 'open')], 0);
  const inWords = spans.map(({ kind, fromMs, toMs, reason }) => [kind, new Date(fromMs).toISOString(), (toMs - fromMs) / HOUR, reason]);
  expect(inWords).toEqual([
    ['counted', '2026-03-05T14:00:00.000Z', 1, undefined],
    ['paused', '2026-03-05T15:00:00.000Z', 0.5, 'pending'],
    ['counted', '2026-03-05T15:30:00.000Z', 0.5, undefined],
    ['closed', '2026-03-05T16:00:00.000Z', 7, undefined],
    ['holiday', '2026-03-05T23:00:00.000Z', 24, undefined],
    ['closed', '2026-03-06T23:00:00.000Z', 57, undefined],
    ['counted', '2026-03-09T08:00:00.000Z', 8, undefined],
    ['closed', '2026-03-09T16:00:00.000Z', 64, undefined],
    ['counted', '2026-03-12T08:00:00.000Z', 0.5, undefined],
  ]);
});

it('ends now while nobody knows when it will be due', () => {
  const spans = explained([tell.becomes(at('2026-03-05T16:00:00+01:00'), 'pending')], at('2026-03-05T17:00:00+01:00'));
  expect(spans.map(({ kind, fromMs, toMs }) => [kind, (toMs - fromMs) / HOUR])).toEqual([
    ['counted', 1],
    ['paused', 1],
  ]);
});

describe('in any history', () => {
  const heard = fc.array(fc.record({ gapMs: fc.nat({ max: 20 * HOUR }), status: fc.constantFrom<TicketStatus>('open', 'pending', 'on_hold', 'solved') }), {
    maxLength: 12,
  });

  it('spans follow on each other from the start to the due time, and what counted is the target', () => {
    fc.assert(
      fc.property(heard, (steps) => {
        let now = opened.at;
        const clock = story(
          book,
          steps.map(({ gapMs, status }) => tell.becomes((now += gapMs), status)),
          opened,
        ).clock('resolution');
        const spans = explain(clock, now, book.calendar(clock.calendar), definition);
        const end = clock.dueAt ?? clock.stoppedAt ?? now;
        if (spans.length > 0) expect([spans[0]!.fromMs, spans.at(-1)!.toMs]).toEqual([clock.startedAt, end]);
        spans.slice(1).forEach(({ fromMs }, index) => expect(fromMs).toBe(spans[index]!.toMs));
        const counted = spans.reduce((sum, { kind, fromMs, toMs }) => sum + (kind === 'counted' ? toMs - fromMs : 0), 0);
        expect(counted).toBe(clock.dueAt === null ? clock.countedMs : clock.targetMs);
      }),
    );
  });
});
