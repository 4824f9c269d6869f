import { z } from 'zod';
import { defineEvent, type EventOf } from './event.ts';
import { skillRequirement } from './work.ts';

/** Why this agent: who was considered, who was passed over and for what reason, and the key that won. */
export const decisionRecord = z
  .object({
    /** Which ring of the requirement was open; 0 is the first. */
    ring: z.int().nonnegative(),
    /** How many agents qualified. */
    candidates: z.int().nonnegative(),
    /** At most the first ten who came before the chosen one by skill but could not take it. */
    passedOver: z.array(z.object({ agentId: z.string(), reason: z.enum(['busy', 'offered', 'away', 'offline', 'declined', 'missed']) })).max(10),
    /** The comparison key of the winner, in the order of the rule. */
    winningKey: z.array(z.union([z.number(), z.string()])),
  })
  .meta({ id: 'DecisionRecord' });
export type DecisionRecord = z.infer<typeof decisionRecord>;

/** The ticket is offered to one agent, who may accept or decline until `expiresAt`. Key: the ticket. */
export const TicketOffered = defineEvent(
  'ticket.offered',
  'assignment',
  z.object({
    ticketId: z.uuid(),
    offerId: z.uuid(),
    agentId: z.string(),
    pool: z.string(),
    queue: z.string(),
    tier: z.int().positive(),
    waitedMs: z.int().nonnegative(),
    offeredAt: z.iso.datetime(),
    expiresAt: z.iso.datetime(),
    decision: decisionRecord,
  }),
);
export type TicketOffered = EventOf<typeof TicketOffered>;

/**
 * Other agents than before are asked for from now on: the time of a ring is over, or nobody has what the ring asks for, or somebody has it again. `ring` counts from 0;
 * past the last of the ticket's rings come what it requires, and then its fallback. Key: the ticket.
 */
export const RingOpened = defineEvent(
  'ring.opened',
  'assignment',
  z.object({
    ticketId: z.uuid(),
    pool: z.string(),
    queue: z.string(),
    ring: z.int().nonnegative(),
    reason: z.enum(['time', 'nobody', 'somebody']),
    required: z.array(skillRequirement),
    /** How many agents whom the pool knows qualify. */
    candidates: z.int().nonnegative(),
    openedAt: z.iso.datetime(),
  }),
);
export type RingOpened = EventOf<typeof RingOpened>;

/** The agent accepted: the ticket is theirs. Key: the ticket. */
export const TicketAssigned = defineEvent(
  'ticket.assigned',
  'assignment',
  z.object({
    ticketId: z.uuid(),
    offerId: z.uuid(),
    agentId: z.string(),
    team: z.string(),
    pool: z.string(),
    queue: z.string(),
    tier: z.int().positive(),
    /** From enqueueing to acceptance. */
    waitedMs: z.int().nonnegative(),
    assignedAt: z.iso.datetime(),
  }),
);
export type TicketAssigned = EventOf<typeof TicketAssigned>;

/** The ticket waits again, with its original age: the offer came to nothing, or the agent is gone. Key: the ticket. */
export const TicketRequeued = defineEvent(
  'ticket.requeued',
  'assignment',
  z.object({
    ticketId: z.uuid(),
    pool: z.string(),
    queue: z.string(),
    offerId: z.uuid().optional(),
    agentId: z.string().optional(),
    reason: z.enum(['declined', 'expired', 'agent_offline']),
    enqueuedAt: z.iso.datetime(),
    requeuedAt: z.iso.datetime(),
  }),
);
export type TicketRequeued = EventOf<typeof TicketRequeued>;

/** The agent no longer has the ticket: it was withdrawn, or it moved up a tier. Key: the ticket. */
export const TicketUnassigned = defineEvent(
  'ticket.unassigned',
  'assignment',
  z.object({
    ticketId: z.uuid(),
    agentId: z.string(),
    reason: z.enum(['solved', 'closed', 'merged', 'escalated', 'agent_offline']),
    unassignedAt: z.iso.datetime(),
  }),
);
export type TicketUnassigned = EventOf<typeof TicketUnassigned>;
