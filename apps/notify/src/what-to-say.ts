import type { ClockBreached, ClockWarned, EscalationRaised } from '@tierline/events';

/** What our own people are told of. */
export type Occasion = ClockWarned | ClockBreached | EscalationRaised;

/** What a notice says of its ticket. */
export function whatToSay(occasion: Occasion): string {
  switch (occasion.type) {
    case 'clock.warned':
      return `${occasion.data.percent} % of the time for ${occasion.data.metric.replace('_', ' ')} is gone, it is due at ${occasion.data.dueAt}`;
    case 'clock.breached':
      return `the target for ${occasion.data.metric.replace('_', ' ')} was missed at ${occasion.data.breachedAt}`;
    case 'escalation.raised': {
      const { kind, toTier, reason } = occasion.data;
      return `it was escalated to ${kind === 'hierarchical' ? 'the manager' : `tier ${toTier}`}: ${reason.text}`;
    }
  }
}
