import type { SkillRequirement, TicketOpened, TicketQueued } from '@tierline/events';
import type { RoutingConfiguration } from './configuration.ts';
import { fitsMatch, queuePicker } from './pick-queue.ts';
import { requiredSkills } from './required-skills.ts';

type Opened = Pick<
  TicketOpened['data'],
  'ticketId' | 'channel' | 'accountRef' | 'labels' | 'priority' | 'subject' | 'preview' | 'language' | 'tier' | 'openedAt'
>;

/** Answers what its pool is told of a new ticket: its queue, what is asked of agents there, and how long it counts as waiting. */
export function workPlanner(configuration: RoutingConfiguration): (ticket: Opened) => TicketQueued['data'] {
  const { channels, queues, defaultQueue } = configuration;
  const pickQueue = queuePicker(configuration);
  const boosts = configuration.boosts.map(({ match, byMs }) => ({ fits: fitsMatch(match), byMs }));
  const otherwise = queues.find(({ name }) => name === defaultQueue)!;
  return (ticket) => {
    const { ticketId, channel, priority, tier, openedAt } = ticket;
    const queue = pickQueue(ticket);
    const { weight = 1, interrupts } = channels[channel] ?? {};
    const boostMs = boosts.reduce((sum, { fits, byMs }) => (fits(ticket) ? sum + byMs : sum), 0);
    const required = requiredSkills(queue, tier);
    const fallback = requiredSkills(otherwise, tier);
    const rings = queue.rings.map(({ skills, preferred, durationMs }) => ({
      required: requiredSkills({ skills: highest(queue.skills, skills) }, tier),
      ...(preferred && { preferred }),
      durationMs,
    }));
    return {
      ...{ ticketId, channel, priority, tier, required },
      pool: queue.pool,
      queue: queue.name,
      ...(queue.preferred.length > 0 && { preferred: queue.preferred }),
      ...(rings.length > 0 && { rings }),
      ...(!isSame(required, fallback) && { fallback }),
      ...(boostMs > 0 && { boostMs }),
      ...(interrupts && { interrupts }),
      weight: queue.weight ?? weight,
      offerTimeoutMs: queue.offerTimeoutMs,
      reason: 'opened',
      // Not when the customer wrote: senders choose the date of a mail themselves.
      enqueuedAt: openedAt,
    };
  };
}

/** The higher level of each skill in either. */
function highest(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries([...new Set([...Object.keys(a), ...Object.keys(b)])].map((skill) => [skill, Math.max(a[skill] ?? 0, b[skill] ?? 0)]));
}

/** Both stand in the order of the skills' names. */
const isSame = (a: readonly SkillRequirement[], b: readonly SkillRequirement[]): boolean => JSON.stringify(a) === JSON.stringify(b);
