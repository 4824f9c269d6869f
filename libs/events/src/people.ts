import { z } from 'zod';
import { pii } from './contact.ts';
import { defineEvent, type EventOf } from './event.ts';
import { agentProfile, presence } from './work.ts';

/** An agent was added or changed: the whole profile. Key: the agent. */
export const AgentChanged = defineEvent('agent.changed', 'agent', agentProfile.extend({ occurredAt: z.iso.datetime() }));
export type AgentChanged = EventOf<typeof AgentChanged>;

/** An agent came, went away, let an offer ring out, or their presence lease ran out. Key: the agent. */
export const PresenceChanged = defineEvent(
  'presence.changed',
  'agent',
  z.object({ agentId: z.string(), presence, cause: z.enum(['agent', 'missed_offer', 'lease_expired', 'deactivated']), occurredAt: z.iso.datetime() }),
);
export type PresenceChanged = EventOf<typeof PresenceChanged>;

/** A presence lease has run out; a timer says so, the newest heartbeat decides. Key: the agent. */
export const PresenceLapsed = defineEvent('presence.lapsed', 'agent', z.object({ agentId: z.string() }));
export type PresenceLapsed = EventOf<typeof PresenceLapsed>;

export const role = z.enum(['admin', 'lead', 'agent', 'service', 'client']);
export type Role = z.infer<typeof role>;

/** A token may be used. Only its SHA-256 is ever stored: the token is 256 random bits, so a slow hash would protect nothing. Key: the token's id. */
export const TokenIssued = defineEvent(
  'token.issued',
  'access',
  z.object({
    tokenId: z.uuid(),
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    subject: pii(z.string()),
    roles: z.array(role),
    expiresAt: z.iso.datetime().optional(),
  }),
);
export type TokenIssued = EventOf<typeof TokenIssued>;

export const TokenRevoked = defineEvent('token.revoked', 'access', z.object({ tokenId: z.uuid(), revokedAt: z.iso.datetime() }));
export type TokenRevoked = EventOf<typeof TokenRevoked>;
