import { describe, expect, it } from '@jest/globals';
import { stateOf } from './clock.ts';
import { fold, lookAt, nextPoint, open } from './fold-ticket.ts';
import { sampleBook, sampleCalendar, samplePolicy } from './sample-policy.ts';
import { story, tell } from './ticket-story.ts';

// What went wrong in other systems, and where it was found.

const { look, wrote, answered, becomes, priority, adopted } = tell;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const at = (time: string): number => Date.parse(time);
const weekdays = (from: string, to: string): Record<'mon' | 'tue' | 'wed' | 'thu' | 'fri', [string, string][]> => {
  const hours: [string, string][] = [[from, to]];
  return { mon: hours, tue: hours, wed: hours, thu: hours, fri: hours };
};
const office = sampleCalendar('office', { timeZone: 'UTC', hours: weekdays('09:00', '17:00') });

describe('zammad', () => {
  const replies = sampleBook([[samplePolicy({ first_response: HOUR, next_response: HOUR, resolution: 8 * HOUR }, { countsFirstWait: true })]]);

  it('#2082: the due time was not updated by the first reply', () => {
    const before = story(replies, [wrote(0)]).ticket;
    const after = story(replies, [wrote(0), answered(10 * MINUTE)]).ticket;
    expect(nextPoint(before)).toMatchObject({ next: { at: HOUR + 1 } });
    expect(nextPoint(after)).toMatchObject({ metric: 'resolution', next: { at: 8 * HOUR + 1 } });
  });

  it('#3140: the reply of an agent armed the update clock again', () => {
    const { told, clock } = story(replies, [wrote(0), answered(10 * MINUTE), answered(20 * MINUTE), look(5 * HOUR)]);
    expect(told.filter((what) => what.startsWith('next'))).toEqual(['next_response started@0', `next_response met@${10 * MINUTE}`]);
    expect(clock('next_response').cycle).toBe(1);
  });

  it('#5177: the update clock spoke before the first response when its target was shorter', () => {
    const book = sampleBook([[samplePolicy({ first_response: HOUR, next_response: 10 * MINUTE })]]);
    expect(story(book, [wrote(0), wrote(MINUTE), look(30 * MINUTE)]).told).toEqual(['first_response started@0']);
  });

  it('#534: an edited calendar left the due times of open tickets as they were', () => {
    const longer = sampleCalendar('office', { timeZone: 'UTC', hours: weekdays('05:00', '17:00') }, 2);
    const policy = samplePolicy({ resolution: 2 * HOUR }, { calendar: 'office/1' });
    const book = sampleBook([[policy], [{ ...policy, version: 2, calendar: 'office/2' }]], [office, longer]);
    const opened = tell.opened({ at: at('2026-03-02T03:00:00Z') });
    expect(story(book, [], opened).clock('resolution').dueAt).toBe(at('2026-03-02T11:00:00Z'));
    expect(story(book, [adopted(at('2026-03-02T03:30:00Z'), 2)], opened).clock('resolution').dueAt).toBe(at('2026-03-02T07:00:00Z'));
  });

  it('minute truncation: pauses were cut to whole minutes', () => {
    const book = sampleBook([[samplePolicy({ resolution: 2 * HOUR }, { calendar: 'office/1' })]], [office]);
    const { clock } = story(
      book,
      [becomes(at('2026-03-02T09:26:36.250Z'), 'pending'), becomes(at('2026-03-02T09:40:59.999Z'), 'open')],
      tell.opened({ at: at('2026-03-02T09:00:00Z') }),
    );
    expect(clock('resolution').dueAt).toBe(at('2026-03-02T11:14:23.749Z'));
  });

  it('hash key HH:MM: of two pauses that began in the same minute, also on different days, one was lost', () => {
    const book = sampleBook([[samplePolicy({ resolution: 20 * HOUR }, { calendar: 'office/1' })]], [office]);
    const { clock } = story(
      book,
      [
        becomes(at('2026-03-02T10:00:05Z'), 'pending'),
        becomes(at('2026-03-02T10:00:15Z'), 'open'),
        becomes(at('2026-03-02T10:00:20Z'), 'pending'),
        becomes(at('2026-03-02T10:00:50Z'), 'open'),
        becomes(at('2026-03-03T10:00:05Z'), 'pending'),
        becomes(at('2026-03-03T10:00:25Z'), 'open'),
      ],
      tell.opened({ at: at('2026-03-02T09:00:00Z') }),
    );
    expect(clock('resolution')).toMatchObject({ dueAt: at('2026-03-04T13:01:00Z') });
    expect(clock('resolution').pauses).toHaveLength(3);
  });
});

describe('chatwoot', () => {
  it('a late resolve between two polls was a hit', () => {
    const book = sampleBook([[samplePolicy({ resolution: HOUR })]]);
    const { told, clock } = story(book, [becomes(HOUR + 1, 'solved')]);
    expect(told.slice(1)).toEqual([`resolution breached@${HOUR}`, `resolution missed@${HOUR + 1}`]);
    expect(stateOf(clock('resolution'))).toBe('missed');
  });

  it('double NRT: one wait was missed twice when the customer wrote again', () => {
    const book = sampleBook([[samplePolicy({ next_response: HOUR })]]);
    const { told } = story(book, [answered(0), wrote(10), look(2 * HOUR), wrote(2 * HOUR), look(4 * HOUR)]);
    expect(told).toEqual(['next_response started@10', `next_response breached@${HOUR + 10}`]);
  });

  it('#10178: the next response counted on after the conversation was resolved', () => {
    const book = sampleBook([[samplePolicy({ next_response: HOUR })]]);
    expect(story(book, [answered(0), wrote(10), becomes(20, 'solved'), look(9 * HOUR)]).told).toEqual([
      'next_response started@10',
      'next_response cancelled@20 (solved)',
    ]);
  });

  it('date picker: a closing at 23:59 lost the last minute of the day', () => {
    const whole = sampleCalendar('whole', { timeZone: 'Europe/Berlin', hours: weekdays('00:00', '24:00') });
    const book = sampleBook([[samplePolicy({ resolution: 24 * HOUR }, { calendar: 'whole/1' })]], [whole]);
    expect(story(book, [], tell.opened({ at: at('2026-03-02T12:00:00Z') })).clock('resolution').dueAt).toBe(at('2026-03-03T12:00:00Z'));
  });
});

describe('libredesk', () => {
  const book = sampleBook([[samplePolicy({ next_response: HOUR, resolution: 8 * HOUR }, { match: { priorities: ['normal', 'high'] } })]]);

  it('equality hole: an answer exactly at the deadline was neither met nor missed', () => {
    expect(story(book, [answered(0), wrote(10), answered(HOUR + 10)]).told.at(-1)).toBe(`next_response met@${HOUR + 10}`);
  });

  it('breached_at and met_at were the time of the poll', () => {
    const { clock } = story(book, [answered(0), wrote(10), look(3 * HOUR), answered(2 * HOUR)]);
    expect(clock('next_response')).toMatchObject({ breach: { at: HOUR + 10 }, stoppedAt: 2 * HOUR });
  });

  it('applying an SLA again deleted the pending one, and its history', () => {
    const policies = [
      samplePolicy({ next_response: 2 * HOUR, resolution: 8 * HOUR }, { name: 'high', match: { priorities: ['high'] } }),
      samplePolicy({ next_response: HOUR, resolution: 8 * HOUR }),
    ];
    const { clock, ticket } = story(sampleBook([policies]), [
      answered(0),
      wrote(10),
      answered(20),
      wrote(30),
      becomes(40, 'pending'),
      becomes(50, 'open'),
      priority(60, 'high'),
    ]);
    expect(clock('next_response')).toMatchObject({ cycle: 2, startedAt: 30, policy: 'high/1' });
    expect(clock('resolution').pauses).toEqual([{ fromMs: 40, toMs: 50, reason: 'pending' }]);
    expect(ticket.head.tallies).toMatchObject([{ metric: 'next_response', met: 1 }]);
  });
});

describe('GLPI', () => {
  const policies = [
    samplePolicy({ resolution: 2 * HOUR }, { name: 'high', calendar: 'office/1', match: { priorities: ['high'] } }),
    samplePolicy({ resolution: 8 * HOUR }, { calendar: 'office/1', warnAtPercent: [75] }),
  ];
  const book = sampleBook([policies], [office]);
  const opened = tell.opened({ at: at('2026-03-02T09:00:00Z') });

  it('#6902: a change of SLA forgot the pauses', () => {
    const heard = [becomes(at('2026-03-02T09:30:00Z'), 'pending'), becomes(at('2026-03-02T10:30:00Z'), 'open'), priority(at('2026-03-02T10:45:00Z'), 'high')];
    expect(story(book, heard, opened).clock('resolution').dueAt).toBe(at('2026-03-02T12:00:00Z'));
  });

  it('#10594: pauses were measured around the clock and added on the calendar', () => {
    const heard = [becomes(at('2026-03-02T16:00:00Z'), 'pending'), becomes(at('2026-03-03T10:00:00Z'), 'open')];
    expect(story(book, heard, opened).clock('resolution').dueAt).toBe(at('2026-03-03T11:00:00Z'));
  });

  it('PR #22678: the level before the deadline fell into the night', () => {
    const late = tell.opened({ at: at('2026-03-02T15:00:00Z') });
    expect(nextPoint(story(book, [], late).ticket)).toMatchObject({ metric: 'resolution', next: { point: 'warning', at: at('2026-03-03T13:00:00Z') } });
  });
});

it('Rocket.Chat: the offset of a zone was that of January', () => {
  const berlin = sampleCalendar('berlin', { timeZone: 'Europe/Berlin', hours: weekdays('09:00', '17:00') });
  const book = sampleBook([[samplePolicy({ resolution: HOUR }, { calendar: 'berlin/1' })]], [berlin]);
  expect(story(book, [], tell.opened({ at: at('2026-07-01T05:00:00Z') })).clock('resolution').dueAt).toBe(at('2026-07-01T08:00:00Z'));
  expect(story(book, [], tell.opened({ at: at('2026-01-07T05:00:00Z') })).clock('resolution').dueAt).toBe(at('2026-01-07T09:00:00Z'));
});

it('dbt_zendesk: elapsed time was an hour off over a change to summer time', () => {
  const berlin = sampleCalendar('berlin', { timeZone: 'Europe/Berlin', hours: { sat: [['00:00', '24:00']], sun: [['00:00', '24:00']] } });
  const book = sampleBook([[samplePolicy({ resolution: 99 * HOUR }, { calendar: 'berlin/1' })]], [berlin]);
  const { clock } = story(book, [becomes(at('2026-03-29T10:00:00Z'), 'solved')], tell.opened({ at: at('2026-03-28T11:00:00Z') }));
  expect(clock('resolution').countedMs).toBe(23 * HOUR);
});

it('a timer that fires after its clock was changed announces nothing, and one that fires early neither', () => {
  const book = sampleBook([[samplePolicy({ resolution: HOUR })]]);
  const { ticket } = open(tell.opened(), book);
  expect(lookAt(ticket, HOUR, book).changes).toEqual([]);
  const paused = fold(ticket, { what: 'changed', at: 10, under: 1, status: 'pending' }, book).ticket;
  expect(lookAt(paused, 2 * HOUR, book).changes).toEqual([]);
});
