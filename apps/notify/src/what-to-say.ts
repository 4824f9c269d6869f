import type { ClockBreached, ClockWarned, EscalationRaised } from '@tierline/events';

const METRICS = { first_response: 'first response', resolution: 'resolution' } as const;

/** What our own people are told of. */
export type Occasion = ClockWarned | ClockBreached | EscalationRaised;

/** What a notice says of its ticket. */
export function whatToSay(occasion: Occasion): string {
  switch (occasion.type) {
    case 'clock.warned':
      return `${occasion.data.percent} % of the time for ${METRICS[occasion.data.metric]} is gone, it is due at ${occasion.data.dueAt}`;
    case 'clock.breached':
      return `the target for ${METRICS[occasion.data.metric]} was missed at ${occasion.data.breachedAt}`;
    case 'escalation.raised': {
      const { kind, toTier, reason } = occasion.data;
      return `it was escalated to ${kind === 'hierarchical' ? 'the manager' : `tier ${toTier}`}: ${reason.text}`;
    }
  }
}
