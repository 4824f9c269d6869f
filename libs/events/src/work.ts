import { z } from 'zod';
import { channelName } from './contact.ts';
import { defineEvent, type EventOf } from './event.ts';
import { ticketPriority } from './ticket.ts';

/** The support tier is a skill like any other: an agent of tier 2 has it at level 2. */
export const TIER_SKILL = 'tier';

/** What a ticket needs of the agent who takes it. Levels run from 1 to 10. */
export const skillRequirement = z.object({ skill: z.string(), minLevel: z.int().min(1).max(10) }).meta({ id: 'SkillRequirement' });
export type SkillRequirement = z.infer<typeof skillRequirement>;

export const presence = z.enum(['available', 'away', 'offline']);
export type Presence = z.infer<typeof presence>;

/** An agent as routing and escalation need to know them. */
export const agentProfile = z
  .object({
    agentId: z.string(),
    name: z.string().meta({ pii: true }),
    email: z.string().optional().meta({ pii: true }),
    team: z.string(),
    /** The pool of agents and queues that share work; a pool is matched by one writer. */
    pool: z.string(),
    managerId: z.string().optional(),
    skills: z.array(z.object({ skill: z.string(), level: z.int().min(1).max(10) })),
    /** How much work the agent can carry at once, in the units of a queue's `weight`. */
    capacity: z.number().nonnegative(),
    active: z.boolean(),
  })
  .meta({ id: 'AgentProfile' });
export type AgentProfile = z.infer<typeof agentProfile>;

/** A ring of a ticket's search: what is asked for while it is open, and how long that is, counted from its own start. */
export const ring = z
  .object({ required: z.array(skillRequirement), preferred: z.array(z.string()).optional(), durationMs: z.int().positive() })
  .meta({ id: 'Ring' });
export type Ring = z.infer<typeof ring>;

/** What agents of one tier are compared by, one after the other; the last tie goes by their ids. */
export const agentKey = z.enum(['fewest_skills', 'most_skills', 'skill_order', 'level', 'load', 'longest_idle']);
export type AgentKey = z.infer<typeof agentKey>;

/** By which rules the agents and the tickets of a pool come together. */
export const matcherRules = z
  .object({
    agentOrder: z.array(agentKey),
    /**
     * What a freed agent takes: the ticket that counts as waiting longest; the one of the highest priority, or any older than `maxAgeMs`; or the oldest of the first
     * skill in the agent's own list that somebody waits for.
     */
    contactOrder: z.enum(['oldest', 'strict', 'skill_order']),
    /** With `strict` only, and always there. */
    maxAgeMs: z.int().positive().optional(),
  })
  .meta({ id: 'MatcherRules' });
export type MatcherRules = z.infer<typeof matcherRules>;

/** A pool is matched by other rules from now on, also what waits already. Key: the pool. */
export const PoolConfigured = defineEvent('pool.configured', 'work', z.object({ pool: z.string(), rules: matcherRules, occurredAt: z.iso.datetime() }));
export type PoolConfigured = EventOf<typeof PoolConfigured>;

/** The ticket waits for an agent. Topic `work`, key: the pool, so that one writer matches the pool. */
export const TicketQueued = defineEvent(
  'ticket.queued',
  'work',
  z.object({
    ticketId: z.uuid(),
    pool: z.string(),
    queue: z.string(),
    channel: channelName,
    priority: ticketPriority,
    tier: z.int().positive(),
    required: z.array(skillRequirement),
    /** Skills that an agent had better have; of those who qualify, who has more of them goes first. */
    preferred: z.array(z.string()).optional(),
    /** What is asked for before `required`, ring by ring. */
    rings: z.array(ring).optional(),
    /** What is asked for instead as long as nobody whom the pool knows has what is required, there or not. */
    fallback: z.array(skillRequirement).optional(),
    /** How much longer than it does the ticket counts as waiting, besides for its priority. */
    boostMs: z.int().optional(),
    /** Whether other work does not hold it off, unless that interrupts too: a call rings while its agent writes mail. */
    interrupts: z.boolean().optional(),
    /** Capacity that the ticket takes from its agent. */
    weight: z.number().positive(),
    /** How long an offer may ring. */
    offerTimeoutMs: z.int().positive(),
    /** `reprioritized` only moves a ticket that waits; the others take it from whoever has it. */
    reason: z.enum(['opened', 'reopened', 'escalated', 'reprioritized']),
    /** From when the ticket's wait is counted. Kept through declined and expired offers. */
    enqueuedAt: z.iso.datetime(),
  }),
);
export type TicketQueued = EventOf<typeof TicketQueued>;

/** The ticket needs no agent of this pool any more: solved, closed, merged, or escalated to another pool. It leaves the queue, its offer, or its agent. Key: the pool. */
export const TicketWithdrawn = defineEvent(
  'ticket.withdrawn',
  'work',
  z.object({ ticketId: z.uuid(), pool: z.string(), reason: z.enum(['solved', 'closed', 'merged', 'escalated']), occurredAt: z.iso.datetime() }),
);
export type TicketWithdrawn = EventOf<typeof TicketWithdrawn>;

/** The time of a ring is over; a timer says so. Means nothing when another ring is open by now. Key: the pool. */
export const RingEnded = defineEvent(
  'ring.ended',
  'work',
  z.object({ ticketId: z.uuid(), pool: z.string(), ring: z.int().nonnegative(), openedAt: z.iso.datetime() }),
);
export type RingEnded = EventOf<typeof RingEnded>;

/** What a pool knows of an agent changed: profile or presence. The whole state, so that the last one wins. Key: the pool. */
export const AgentPlaced = defineEvent('agent.placed', 'work', z.object({ pool: z.string(), profile: agentProfile, presence, occurredAt: z.iso.datetime() }));
export type AgentPlaced = EventOf<typeof AgentPlaced>;

/** The agent has said yes or no to an offer. Key: the pool. */
export const OfferAnswered = defineEvent(
  'offer.answered',
  'work',
  z.object({
    offerId: z.uuid(),
    ticketId: z.uuid(),
    pool: z.string(),
    agentId: z.string(),
    answer: z.enum(['accepted', 'declined']),
    reason: z.string().optional(),
    occurredAt: z.iso.datetime(),
  }),
);
export type OfferAnswered = EventOf<typeof OfferAnswered>;

/** Nobody answered the offer in time; a timer says so. Key: the pool. */
export const OfferExpired = defineEvent('offer.expired', 'work', z.object({ offerId: z.uuid(), ticketId: z.uuid(), pool: z.string(), agentId: z.string() }));
export type OfferExpired = EventOf<typeof OfferExpired>;
