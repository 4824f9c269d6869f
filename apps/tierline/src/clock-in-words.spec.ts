import { expect, it } from '@jest/globals';
import { clockInWords, type ExplainedClock } from './clock-in-words.ts';

const HOUR = 3_600_000;
const clock: ExplainedClock = {
  metric: 'resolution',
  cycle: 1,
  policy: 'standard',
  policyVersion: 3,
  calendar: 'office/2',
  timeZone: 'Europe/Berlin',
  state: 'missed',
  targetMs: 2 * HOUR,
  startedAt: '2026-03-05T15:00:00.000Z',
  dueAt: '2026-03-06T09:00:00.000Z',
  stoppedAt: '2026-03-06T09:30:00.000Z',
  breachedAt: '2026-03-06T09:00:00.000Z',
  breachCause: 'time',
  cancelled: null,
  spans: [
    { kind: 'counted', from: '2026-03-05T15:00:00.000Z', to: '2026-03-05T16:00:00.000Z', ms: HOUR },
    { kind: 'closed', from: '2026-03-05T16:00:00.000Z', to: '2026-03-06T07:30:00.000Z', ms: 15.5 * HOUR },
    { kind: 'paused', from: '2026-03-06T07:30:00.000Z', to: '2026-03-06T08:00:00.250Z', ms: 0.5 * HOUR + 250, reason: 'pending' },
    { kind: 'counted', from: '2026-03-06T08:00:00.250Z', to: '2026-03-06T09:00:00.250Z', ms: HOUR },
  ],
};

it('explains a due time, span by span', () => {
  expect(clockInWords(clock).split('\n')).toEqual([
    'resolution: missed, stopped Fri 2026-03-06 10:30:00, breached Fri 2026-03-06 10:00:00',
    '  target 2h by policy standard/3, calendar office/2, times in Europe/Berlin',
    '  Thu 2026-03-05 16:00:00         1h  counted',
    '  Thu 2026-03-05 17:00:00    15h 30m  closed',
    '  Fri 2026-03-06 08:30:00  30m 250ms  paused: pending',
    '  Fri 2026-03-06 09:00:00         1h  counted',
    '  Fri 2026-03-06 10:00:00  due: 2h have counted',
  ]);
});

it('says so when it stands still, or counts for nothing any more', () => {
  const paused = { ...clock, metric: 'next_response', cycle: 2, state: 'paused', dueAt: null, stoppedAt: null, breachedAt: null, spans: [clock.spans[0]!] };
  expect(clockInWords(paused)).toMatch(/^next response \(2\): paused\n/);
  expect(clockInWords(paused)).toMatch(/nobody knows when it will be due: 1h of 2h have counted$/);
  const cancelled = { ...clock, state: 'cancelled', cancelled: 'no_policy', stoppedAt: null, breachCause: 'policy_change', calendar: null, timeZone: null };
  expect(clockInWords(cancelled)).toMatch(
    /^resolution: cancelled, for no policy, breached Fri 2026-03-06 09:00:00 by a policy change\n.*all time counts, times in UTC\n/,
  );
});
