import { z } from 'zod';
import { defineEvent, type EventOf } from './event.ts';

/** One of our own people was told something about a ticket. Key: the ticket. */
export const NoticeSent = defineEvent(
  'notice.sent',
  'notice',
  z.object({
    noticeId: z.uuid(),
    ticketId: z.uuid(),
    toAgentId: z.string(),
    as: z.enum(['owner', 'manager']),
    about: z.enum(['clock_warned', 'clock_breached', 'escalation_raised']),
    /** `inbox`: kept for the person to read; `email`: mailed as well. */
    via: z.array(z.enum(['inbox', 'email'])),
    sentAt: z.iso.datetime(),
  }),
);
export type NoticeSent = EventOf<typeof NoticeSent>;
