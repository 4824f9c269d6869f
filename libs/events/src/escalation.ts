import { z } from 'zod';
import { defineEvent, type EventOf } from './event.ts';
import { slaMetric } from './clock.ts';
import { actor, ticketPriority } from './ticket.ts';

/** A ticket was escalated: to a team with more expertise (functional), to a manager (hierarchical), or by a rule (automatic). Key: the ticket. */
export const EscalationRaised = defineEvent(
  'escalation.raised',
  'escalation',
  z.object({
    escalationId: z.uuid(),
    ticketId: z.uuid(),
    kind: z.enum(['functional', 'hierarchical', 'automatic']),
    fromTier: z.int().positive(),
    /** Same as `fromTier` for a hierarchical escalation, or at the last tier. */
    toTier: z.int().positive(),
    /** Every tier the ticket has been on, this one last. */
    tierPath: z.array(z.int().positive()),
    team: z.string().optional(),
    /** The person who answers for the escalation; the ticket's own assignee is somebody else. */
    ownerId: z.string().optional(),
    reason: z.object({ code: z.enum(['sla_breach', 'agent_request', 'customer_request', 'manager_request']), text: z.string() }),
    /** The clock whose breach raised it. */
    breach: z.object({ clockId: z.uuid(), metric: slaMetric }).optional(),
    priority: ticketPriority,
    by: actor,
    raisedAt: z.iso.datetime(),
  }),
);
export type EscalationRaised = EventOf<typeof EscalationRaised>;

/** The escalation is over: resolved with the ticket, or closed by hand. Key: the ticket. */
export const EscalationClosed = defineEvent(
  'escalation.closed',
  'escalation',
  z.object({ escalationId: z.uuid(), ticketId: z.uuid(), outcome: z.enum(['resolved', 'cancelled']), by: actor, closedAt: z.iso.datetime() }),
);
export type EscalationClosed = EventOf<typeof EscalationClosed>;
