import { z } from 'zod';
import { defineEvent, type EventOf } from './event.ts';

export const slaMetric = z.enum(['first_response', 'resolution']);
export type SlaMetric = z.infer<typeof slaMetric>;

const clockFields = { clockId: z.uuid(), ticketId: z.uuid(), metric: slaMetric };

/** SLA clocks of a ticket began to run, under the named version of a policy. Key: the ticket. */
export const ClockStarted = defineEvent(
  'clock.started',
  'clock',
  z.object({
    ticketId: z.uuid(),
    policy: z.string(),
    policyVersion: z.int().positive(),
    clocks: z.array(z.object({ clockId: z.uuid(), metric: slaMetric, targetMs: z.int().positive(), startedAt: z.iso.datetime(), dueAt: z.iso.datetime() })),
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

/** The target was missed. `breachedAt` is the due instant, not the instant somebody noticed. */
export const ClockBreached = defineEvent('clock.breached', 'clock', z.object({ ...clockFields, targetMs: z.int().positive(), breachedAt: z.iso.datetime() }));
export type ClockBreached = EventOf<typeof ClockBreached>;

/** An event that came late shows that the target had been met after all. */
export const ClockBreachRevoked = defineEvent('clock.breach_revoked', 'clock', z.object({ ...clockFields, stoppedAt: z.iso.datetime() }));
export type ClockBreachRevoked = EventOf<typeof ClockBreachRevoked>;

export const ClockPaused = defineEvent('clock.paused', 'clock', z.object({ ...clockFields, pausedAt: z.iso.datetime(), remainingMs: z.int() }));
export type ClockPaused = EventOf<typeof ClockPaused>;

export const ClockResumed = defineEvent('clock.resumed', 'clock', z.object({ ...clockFields, resumedAt: z.iso.datetime(), dueAt: z.iso.datetime() }));
export type ClockResumed = EventOf<typeof ClockResumed>;

/** The clock runs by another policy from now on: the same start and the same pauses, a new target. Key: the ticket. */
export const ClockRetargeted = defineEvent(
  'clock.retargeted',
  'clock',
  z.object({
    ...clockFields,
    policy: z.string(),
    policyVersion: z.int().positive(),
    targetMs: z.int().positive(),
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
  z.object({ ...clockFields, result: z.enum(['met', 'missed']), elapsedMs: z.int().nonnegative(), stoppedAt: z.iso.datetime() }),
);
export type ClockStopped = EventOf<typeof ClockStopped>;

/** The clock counts for nothing any more: the ticket was merged or turned out to be spam. */
export const ClockCancelled = defineEvent('clock.cancelled', 'clock', z.object({ ...clockFields, reason: z.string(), cancelledAt: z.iso.datetime() }));
export type ClockCancelled = EventOf<typeof ClockCancelled>;
