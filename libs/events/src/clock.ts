import { z } from 'zod';
import { defineEvent, type EventOf } from './event.ts';

/**
 * What a clock measures: until the first answer, until each later one, between our updates (`pausable_update` rests while the customer is asked), and until the
 * solution (`requester_wait` as the customer waits for it, `agent_work` as we work on it).
 */
export const slaMetric = z.enum(['first_response', 'next_response', 'periodic_update', 'pausable_update', 'requester_wait', 'agent_work', 'resolution']);
export type SlaMetric = z.infer<typeof slaMetric>;

const clockResult = z.enum(['met', 'missed']);
export type ClockResult = z.infer<typeof clockResult>;

/** Why a clock is breached: time passed, or other terms came when it was past them already. */
const breachCause = z.enum(['time', 'policy_change', 'calendar_edit', 'merge']);
export type BreachCause = z.infer<typeof breachCause>;

/** Which of the cycles of its metric a clock is; the first when it does not say. */
const cycle = z.int().positive().optional();
const clockFields = { clockId: z.uuid(), ticketId: z.uuid(), metric: slaMetric, cycle };

/** SLA clocks of a ticket began to run, under the named version of a policy. Key: the ticket. */
export const ClockStarted = defineEvent(
  'clock.started',
  'clock',
  z.object({
    ticketId: z.uuid(),
    policy: z.string(),
    policyVersion: z.int().positive(),
    clocks: z.array(
      z.object({ clockId: z.uuid(), metric: slaMetric, cycle, targetMs: z.int().positive(), startedAt: z.iso.datetime(), dueAt: z.iso.datetime() }),
    ),
  }),
);
export type ClockStarted = EventOf<typeof ClockStarted>;

/** A timer reached a point of a clock. It announces only: the clock decides by event times whether it means anything. Key: the ticket. */
export const ClockDue = defineEvent(
  'clock.due',
  'clock',
  z.object({ ...clockFields, point: z.enum(['warning', 'breach']), /** Fences timers armed before the clock was recomputed. */ epoch: z.int().nonnegative() }),
);
export type ClockDue = EventOf<typeof ClockDue>;

export const ClockWarned = defineEvent(
  'clock.warned',
  'clock',
  z.object({ ...clockFields, percent: z.number(), dueAt: z.iso.datetime(), warnedAt: z.iso.datetime() }),
);
export type ClockWarned = EventOf<typeof ClockWarned>;

/** The target was missed. `breachedAt` is the due instant, not the instant somebody noticed; or when the terms came that it was past already. */
export const ClockBreached = defineEvent(
  'clock.breached',
  'clock',
  z.object({ ...clockFields, targetMs: z.int().positive(), breachedAt: z.iso.datetime(), cause: breachCause.optional() }),
);
export type ClockBreached = EventOf<typeof ClockBreached>;

/** There is no breach after all: an event that came late shows it, or the target grew. `stoppedAt` is when that happened. */
export const ClockBreachRevoked = defineEvent(
  'clock.breach_revoked',
  'clock',
  z.object({ ...clockFields, stoppedAt: z.iso.datetime(), cause: z.enum(['late_event', 'policy_change', 'calendar_edit']).optional() }),
);
export type ClockBreachRevoked = EventOf<typeof ClockBreachRevoked>;

export const ClockPaused = defineEvent('clock.paused', 'clock', z.object({ ...clockFields, pausedAt: z.iso.datetime(), remainingMs: z.int() }));
export type ClockPaused = EventOf<typeof ClockPaused>;

export const ClockResumed = defineEvent('clock.resumed', 'clock', z.object({ ...clockFields, resumedAt: z.iso.datetime(), dueAt: z.iso.datetime() }));
export type ClockResumed = EventOf<typeof ClockResumed>;

/** The clock runs by other terms from now on: a policy, a calendar, or an earlier start that came with a merge; the pauses are the same. Key: the ticket. */
export const ClockRetargeted = defineEvent(
  'clock.retargeted',
  'clock',
  z.object({
    ...clockFields,
    policy: z.string(),
    policyVersion: z.int().positive(),
    targetMs: z.int().positive(),
    /** Version of the calendar by which it counts, `berlin/2`; all time counts when there is none. */
    calendar: z.string().optional(),
    /** None while the clock is paused. */
    dueAt: z.iso.datetime().optional(),
    retargetedAt: z.iso.datetime(),
  }),
);
export type ClockRetargeted = EventOf<typeof ClockRetargeted>;

/** The clock stopped: met in time, or missed. */
export const ClockStopped = defineEvent(
  'clock.stopped',
  'clock',
  z.object({ ...clockFields, result: clockResult, elapsedMs: z.int().nonnegative(), stoppedAt: z.iso.datetime() }),
);
export type ClockStopped = EventOf<typeof ClockStopped>;

/**
 * The clock counts for nothing any more: the ticket was `merged`, or solved before an answer was due (`solved`); no policy asks for it (`no_policy`); it was
 * `spam`; or an event that came late shows that it never began (`superseded`).
 */
export const ClockCancelled = defineEvent('clock.cancelled', 'clock', z.object({ ...clockFields, reason: z.string(), cancelledAt: z.iso.datetime() }));
export type ClockCancelled = EventOf<typeof ClockCancelled>;
