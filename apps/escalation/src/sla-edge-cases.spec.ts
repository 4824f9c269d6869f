import { describe, expect, it } from '@jest/globals';
import { stateOf } from './clock.ts';
import type { Policy } from './policy.ts';
import { sampleBook, sampleCalendar, samplePolicy } from './sample-policy.ts';
import { story, tell, type Heard } from './ticket-story.ts';

// What becomes of a clock where products differ: one test for each row of what we decided.

const { look, wrote, answered, becomes, priority, labels, assigned, merged, joined, adopted } = tell;
const HOUR = 3_600_000;
/** Open in the first 10 hours of each day after 1970-01-01, a Thursday. */
const day = (to: string, holidays?: string[]): ReturnType<typeof sampleCalendar>['definition'] => {
  const hours: [string, string][] = [['00:00', to]];
  return { timeZone: 'UTC', hours: { mon: hours, tue: hours, wed: hours, thu: hours, fri: hours }, ...(holidays && { holidays }) };
};
const policy = (targetsMs: Policy['targetsMs'], rest: Partial<Policy> = {}): Policy => samplePolicy(targetsMs, rest);

describe('policy selection', () => {
  const ordered = [policy({ resolution: 50 }, { name: 'vip', match: { labels: ['vip'] } }), policy({ resolution: 100 }, { name: 'all' })];

  it('takes the first that matches, at creation and when a field that policies choose by changes', () => {
    const book = sampleBook([ordered]);
    expect(story(book, [], tell.opened({ labels: ['vip'] })).clock('resolution').policy).toBe('vip/1');
    expect(story(book, [labels(10, ['vip'])]).clock('resolution')).toMatchObject({ policy: 'vip/1', dueAt: 50, startedAt: 0 });
  });

  it('does not choose again when another field changes, though another policy would be first by now', () => {
    const book = sampleBook([ordered, [policy({ resolution: 5 }, { name: 'new' }), ...ordered]]);
    expect(story(book, [priority(10, 'high', 2)]).clock('resolution').policy).toBe('all/1');
    expect(story(book, [labels(10, ['x'], 2)]).clock('resolution').policy).toBe('new/1');
  });
});

describe('a new or edited policy', () => {
  const book = sampleBook([[policy({ resolution: 100 })], [policy({ resolution: 60, first_response: 10 }, { version: 2 })]]);

  it('leaves open clocks with the version they have', () => {
    expect(story(book, [priority(10, 'high', 2), look(90)]).clock('resolution')).toMatchObject({ policy: 'standard/1', dueAt: 100 });
  });

  it('takes them when the editor asks for it, and begins what is new', () => {
    const { told, clock } = story(book, [adopted(5, 2), look(11), look(61)]);
    expect(clock('resolution')).toMatchObject({ policy: 'standard/2', dueAt: 60, startedAt: 0 });
    expect(told).toEqual([
      'resolution started@0',
      'resolution retargeted@5',
      'first_response started@0',
      'first_response breached@10',
      'resolution breached@60',
    ]);
  });
});

describe('when no policy matches any more', () => {
  const book = sampleBook([[policy({ first_response: 50, resolution: 100 }, { match: { priorities: ['normal'] } })]]);

  it('running clocks are cancelled, and results stay', () => {
    const { told, clock } = story(book, [answered(10), priority(20, 'low'), look(500)]);
    expect(told.slice(2)).toEqual(['first_response met@10', 'resolution cancelled@20 (no_policy)']);
    expect([stateOf(clock('first_response')), stateOf(clock('resolution'))]).toEqual(['met', 'cancelled']);
  });
});

describe('a change of priority or policy', () => {
  const book = sampleBook([[policy({ resolution: 40 }, { name: 'urgent', match: { priorities: ['urgent'] } }), policy({ resolution: 100 })]]);

  it('keeps the clock, its start and its pauses, and computes the due time anew', () => {
    const { clock } = story(book, [becomes(10, 'pending'), becomes(30, 'open'), priority(35, 'urgent')]);
    expect(clock('resolution')).toMatchObject({ cycle: 1, startedAt: 0, policy: 'urgent/1', dueAt: 60, pauses: [{ fromMs: 10, toMs: 30, reason: 'pending' }] });
  });

  it('breaches at the change, with its cause, when the new due time is past already', () => {
    const { told, clock } = story(book, [priority(70, 'urgent')]);
    expect(told.at(-1)).toBe('resolution breached@70 (policy_change)');
    expect(clock('resolution')).toMatchObject({ dueAt: 40, breach: { at: 70, cause: 'policy_change' } });
  });
});

describe('a calendar edit', () => {
  const book = sampleBook(
    [[policy({ resolution: 4 * HOUR }, { calendar: 'office/1' })], [policy({ resolution: 4 * HOUR }, { version: 2, calendar: 'office/2' })]],
    [sampleCalendar('office', day('02:00')), sampleCalendar('office', day('10:00'), 2)],
  );

  it('counts running and paused clocks from their start by the new version', () => {
    expect(story(book, []).clock('resolution').dueAt).toBe(26 * HOUR);
    expect(story(book, [adopted(1 * HOUR, 2)]).clock('resolution').dueAt).toBe(4 * HOUR);
    const paused = story(book, [becomes(1 * HOUR, 'pending'), adopted(9 * HOUR, 2), becomes(10 * HOUR, 'open')]).clock('resolution');
    expect(paused).toMatchObject({ countedMs: HOUR, dueAt: 27 * HOUR });
  });

  it('never breaches in the past', () => {
    const { clock, told } = story(book, [adopted(8 * HOUR, 2)]);
    expect(clock('resolution').breach).toEqual({ at: 8 * HOUR, cause: 'calendar_edit' });
    expect(told.at(-1)).toBe(`resolution breached@${8 * HOUR} (calendar_edit)`);
  });

  it('never changes what is finished', () => {
    const before = story(book, [becomes(1 * HOUR, 'solved')]).clock('resolution');
    expect(story(book, [becomes(1 * HOUR, 'solved'), adopted(8 * HOUR, 2)]).clock('resolution')).toEqual(before);
  });

  it('is the same as having had the new calendar', () => {
    const edited = story(book, [becomes(HOUR, 'pending'), becomes(1.5 * HOUR, 'open'), adopted(2 * HOUR, 2)]).clock('resolution');
    const always = story(book, [becomes(HOUR, 'pending'), becomes(1.5 * HOUR, 'open')], tell.opened({ under: 2 })).clock('resolution');
    expect(edited.dueAt).toBe(always.dueAt);
  });
});

describe('reassignment to a team with a calendar of its own', () => {
  const book = sampleBook(
    [[policy({ resolution: 4 * HOUR }, { calendar: 'office/1', teamCalendars: { night: 'always/1' } })]],
    [sampleCalendar('office', day('02:00')), sampleCalendar('always', { timeZone: 'UTC', alwaysOpen: true })],
  );

  it('is a calendar edit', () => {
    expect(story(book, [assigned(HOUR, 'night')]).clock('resolution')).toMatchObject({ calendar: 'always/1', dueAt: 4 * HOUR });
    expect(story(book, [assigned(5 * HOUR, 'night')]).clock('resolution').breach).toEqual({ at: 5 * HOUR, cause: 'calendar_edit' });
    expect(story(book, [assigned(HOUR, 'night'), assigned(2 * HOUR, 'day')]).clock('resolution')).toMatchObject({ calendar: 'office/1', dueAt: 26 * HOUR });
  });
});

describe('the first response', () => {
  const book = sampleBook([[policy({ first_response: 100, resolution: 500 })]]);

  it('is from the first contact of the customer to the first public answer by a person', () => {
    const { told } = story(book, [wrote(10), answered(40), answered(60)]);
    expect(told).toEqual(['first_response started@0', 'resolution started@0', 'first_response met@40']);
  });

  it('is met when a live channel is answered, though nothing is written yet', () => {
    const { clock, ticket } = story(book, [{ what: 'responded', at: 20 }]);
    expect(clock('first_response').stoppedAt).toBe(20);
    expect(ticket.head.respondedAt).toBe(20);
  });

  it('has no clock on a ticket that an agent opened, nor has anything else, until the customer writes', () => {
    const opened = tell.opened({ byAgent: true });
    expect(story(book, [answered(10), becomes(20, 'pending'), look(900)], opened).told).toEqual([]);
    expect(story(book, [answered(10), wrote(30), answered(70)], opened).told).toEqual([
      'first_response started@30',
      'resolution started@30',
      'first_response met@70',
    ]);
  });

  it('does not pause, unless the policy says so', () => {
    expect(story(book, [becomes(10, 'pending')]).clock('first_response').since).toBe(0);
    const pausing = sampleBook([[policy({ first_response: 100 }, { pauseOn: { ...policy({}).pauseOn, first_response: ['pending'] } })]]);
    expect(story(pausing, [becomes(10, 'pending'), becomes(50, 'open')]).clock('first_response').dueAt).toBe(140);
  });
});

describe('the next response', () => {
  const book = sampleBook([[policy({ first_response: 50, next_response: 20 })]]);
  const cycles = (heard: (Heard | Heard[])[]): string[] => story(book, heard).told.filter((what) => what.startsWith('next'));

  it('waits from the oldest unanswered message after an answer; later ones do not move it', () => {
    expect(cycles([wrote(5), answered(10), wrote(30), wrote(40), answered(45), wrote(60), look(90)])).toEqual([
      'next_response started@30',
      'next_response met@45',
      'next_response started@60',
      'next_response breached@80',
    ]);
  });

  it('waits only when there was a first response, unless the policy counts that wait too', () => {
    expect(cycles([wrote(5)])).toEqual([]);
    const counting = sampleBook([[policy({ first_response: 50, next_response: 20 }, { countsFirstWait: true })]]);
    expect(story(counting, [wrote(5)]).clock('next_response').startedAt).toBe(5);
  });

  it.each(['solved', 'closed'] as const)('is cancelled, not met, when the ticket is %s', (status) => {
    expect(cycles([answered(10), wrote(30), becomes(35, status), look(99)])).toEqual(['next_response started@30', 'next_response cancelled@35 (solved)']);
  });

  it('stands still while the ticket is solved instead, if the policy says so', () => {
    const pausing = sampleBook([[policy({ next_response: 20 }, { pauseOn: { ...policy({}).pauseOn, next_response: ['solved'] } })]]);
    const { told, clock } = story(pausing, [answered(10), wrote(30), becomes(35, 'solved'), becomes(90, 'open')]);
    expect(told.slice(1)).toEqual(['next_response paused@35', 'next_response resumed@90']);
    expect(clock('next_response').dueAt).toBe(105);
  });

  it('is cancelled with a merge', () => {
    expect(cycles([answered(10), wrote(30), merged(35), look(99)])).toEqual(['next_response started@30', 'next_response cancelled@35 (merged)']);
  });
});

describe('resolution and reopening', () => {
  const book = sampleBook([[policy({ resolution: 100 }, { reopenWindowMs: 1_000 })]]);

  it('is provisional within the window: the same clock goes on, and the solved time is a pause', () => {
    const { told, clock } = story(book, [becomes(60, 'solved'), becomes(1_060, 'open'), look(1_101)]);
    expect(told.slice(1)).toEqual(['resolution met@60', 'resolution resumed@1060', 'resolution breached@1100']);
    expect(clock('resolution').pauses).toEqual([{ fromMs: 60, toMs: 1_060, reason: 'solved' }]);
  });

  it('is final after the window: a new cycle has the full target', () => {
    const { told, clock, ticket } = story(book, [becomes(60, 'solved'), becomes(1_061, 'open'), becomes(1_100, 'solved')]);
    expect(told.slice(1)).toEqual(['resolution met@60', 'resolution started@1061', 'resolution met@1100']);
    expect(clock('resolution')).toMatchObject({ cycle: 2, dueAt: 1_161 });
    expect(ticket.head.tallies).toContainEqual({ metric: 'resolution', met: 1, missed: 0, cancelled: 0, longestMs: 60 });
  });
});

describe('exactly at the deadline', () => {
  const book = sampleBook([[policy({ first_response: 100, next_response: 50, resolution: 200 })]]);

  it('is met, for every metric; a millisecond later is missed', () => {
    const story1 = story(book, [look(100), answered(100), wrote(120), look(170), answered(170), look(200), becomes(200, 'solved')]);
    expect(story1.told.filter((what) => what.includes('met'))).toEqual(['first_response met@100', 'next_response met@170', 'resolution met@200']);
    const story2 = story(book, [answered(101), wrote(120), answered(171), becomes(201, 'solved')]);
    expect(story2.told.filter((what) => what.includes('missed'))).toEqual(['first_response missed@101', 'next_response missed@171', 'resolution missed@201']);
  });
});

describe('the unit of a pause', () => {
  const book = sampleBook([[policy({ resolution: 4 * HOUR }, { calendar: 'office/1' })]], [sampleCalendar('office', day('02:00'))]);

  it('counts only where it overlaps open time, to the millisecond', () => {
    const dueAfter = (from: number, to: number): number => story(book, [becomes(from, 'pending'), becomes(to, 'open')]).clock('resolution').dueAt!;
    expect(dueAfter(3 * HOUR, 20 * HOUR)).toBe(26 * HOUR);
    expect(dueAfter(HOUR, 20 * HOUR)).toBe(4 * 24 * HOUR + HOUR);
    expect(dueAfter(HOUR, HOUR + 1)).toBe(4 * 24 * HOUR + 1);
  });
});

describe('warnings', () => {
  const book = sampleBook(
    [[policy({ resolution: 4 * HOUR }, { calendar: 'office/1', warnAtPercent: [50, 75, 90] })]],
    [sampleCalendar('office', day('02:00'))],
  );
  const warnings = (heard: Heard[]): string[] => story(book, heard).told.slice(1);

  it('are deadlines of their share on the same business clock', () => {
    expect(warnings([look(24 * HOUR)])).toEqual([`resolution warned@${2 * HOUR}`]);
    expect(warnings([look(2 * HOUR), look(25 * HOUR - 1), look(25 * HOUR), look(25.6 * HOUR)])).toEqual([
      `resolution warned@${2 * HOUR}`,
      `resolution warned@${25 * HOUR}`,
      `resolution warned@${25.6 * HOUR}`,
    ]);
  });

  it('come once for each clock, threshold and target', () => {
    expect(
      warnings([look(2 * HOUR), becomes(2 * HOUR + 1, 'pending'), becomes(24 * HOUR, 'open'), look(24.5 * HOUR)]).filter((what) => what.includes('warned')),
    ).toEqual([`resolution warned@${2 * HOUR}`]);
  });

  it('are left out when a bigger one is due, or the breach', () => {
    expect(warnings([look(25.7 * HOUR)])).toEqual([`resolution warned@${25.6 * HOUR}`]);
    expect(warnings([look(26 * HOUR), look(4 * 24 * HOUR + 1)])).toEqual([`resolution warned@${25.6 * HOUR}`, `resolution breached@${26 * HOUR}`]);
    expect(warnings([look(5 * 24 * HOUR)])).toEqual([`resolution breached@${26 * HOUR}`]);
  });
});

describe('a breach whose target then grows', () => {
  const book = sampleBook([[policy({ resolution: 200 }, { name: 'low', match: { priorities: ['low'] } }), policy({ resolution: 100 })]]);

  it('is revoked, and the clock runs as if it had never been', () => {
    const { told, clock } = story(book, [look(150), priority(160, 'low'), becomes(190, 'solved')]);
    expect(told.slice(1)).toEqual(['resolution breached@100', 'resolution retargeted@160', 'resolution revoked@160', 'resolution met@190']);
    expect(stateOf(clock('resolution'))).toBe('met');
  });
});

describe('a merge', () => {
  const book = sampleBook([[policy({ first_response: 50, next_response: 100, resolution: 500 })]]);

  it('cancels the clocks of the source', () => {
    expect(story(book, [merged(20)]).told.slice(2)).toEqual(['first_response cancelled@20 (merged)', 'resolution cancelled@20 (merged)']);
  });

  it('leaves the target its own, and moves its wait back to an older unanswered message', () => {
    const { told, clock } = story(book, [answered(10), wrote(60), joined(70, 30)]);
    expect(told.slice(-1)).toEqual(['next_response retargeted@70']);
    expect(clock('next_response')).toMatchObject({ cycle: 1, startedAt: 30, dueAt: 130 });
    expect(story(book, [answered(10), wrote(60), joined(70, 65)]).clock('next_response').startedAt).toBe(60);
    expect(clock('resolution').startedAt).toBe(0);
  });

  it('begins the wait when nobody was waiting, and breaches no earlier than now', () => {
    const { told } = story(book, [answered(10), joined(200, 30)]);
    expect(told.slice(-2)).toEqual(['next_response started@30', 'next_response breached@200 (merge)']);
  });
});

describe('spam', () => {
  const book = sampleBook([[policy({ first_response: 50, resolution: 500 })]]);

  it('has no clocks, and cancels those that there are, results too', () => {
    expect(story(book, [look(900)], tell.opened({ labels: ['spam'] })).told).toEqual([]);
    expect(story(book, [answered(10), labels(20, ['spam']), look(900)]).told.slice(2)).toEqual([
      'first_response met@10',
      'first_response cancelled@20 (spam)',
      'resolution cancelled@20 (spam)',
    ]);
  });

  it('that was none counts again', () => {
    const { clock } = story(book, [answered(10), labels(20, ['spam']), labels(30, [])]);
    expect([stateOf(clock('first_response')), stateOf(clock('resolution'))]).toEqual(['met', 'running']);
    expect(clock('resolution').dueAt).toBe(500);
  });
});

describe('updates', () => {
  const book = sampleBook([[policy({ periodic_update: 100, pausable_update: 100 })]]);

  it('are due from one public answer to the next', () => {
    const { told, ticket } = story(book, [answered(10), answered(60), look(161)]);
    expect(told.filter((what) => what.startsWith('periodic'))).toEqual([
      'periodic_update started@10',
      'periodic_update met@60',
      'periodic_update started@60',
      'periodic_update breached@160',
    ]);
    expect(ticket.head.tallies).toContainEqual({ metric: 'periodic_update', met: 1, missed: 0, cancelled: 0, longestMs: 50 });
  });

  it('rest while the customer is asked, if they may', () => {
    const { clock } = story(book, [answered(10), becomes(20, 'pending'), becomes(50, 'open')]);
    expect([clock('periodic_update').dueAt, clock('pausable_update').dueAt]).toEqual([110, 140]);
  });

  it('are no longer due when the ticket is solved', () => {
    const { told } = story(book, [answered(10), becomes(20, 'solved'), look(900)]);
    expect(told.slice(2)).toEqual(['periodic_update cancelled@20 (solved)', 'pausable_update cancelled@20 (solved)']);
  });
});

describe('the waits for a solution', () => {
  const book = sampleBook([[policy({ requester_wait: 100, agent_work: 100, resolution: 1_000 })]]);

  it('rest as it is with the customer, or with somebody else', () => {
    const { clock } = story(book, [becomes(10, 'on_hold'), becomes(30, 'pending'), becomes(60, 'open'), becomes(90, 'solved')]);
    expect([clock('requester_wait').countedMs, clock('agent_work').countedMs, clock('resolution').countedMs]).toEqual([60, 40, 40]);
  });
});
