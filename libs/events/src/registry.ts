import {
  ClockBreachRevoked,
  ClockBreached,
  ClockCancelled,
  ClockDue,
  ClockPaused,
  ClockResumed,
  ClockRetargeted,
  ClockStarted,
  ClockStopped,
  ClockWarned,
} from './clock.ts';
import { ContactReceived } from './contact.ts';
import { EscalationClosed, EscalationRaised } from './escalation.ts';
import type { EventDefinition } from './event.ts';
import { MessageFailed, MessageRequested, MessageSent } from './message.ts';
import { NoticeSent } from './notice.ts';
import { AgentChanged, PresenceChanged, PresenceLapsed, TokenIssued, TokenRevoked } from './people.ts';
import { RingOpened, TicketAssigned, TicketOffered, TicketRequeued, TicketUnassigned } from './assignment.ts';
import { TicketChanged, TicketCloseDue, TicketMerged, TicketOpened, TicketReplied } from './ticket.ts';
import { AgentPlaced, OfferAnswered, OfferExpired, PoolConfigured, RingEnded, TicketQueued, TicketWithdrawn } from './work.ts';

/** Every event of the line, in the order it flows. */
export const allEvents: readonly EventDefinition[] = [
  ContactReceived,
  TicketOpened,
  TicketReplied,
  TicketChanged,
  TicketMerged,
  TicketCloseDue,
  TicketQueued,
  TicketWithdrawn,
  RingEnded,
  PoolConfigured,
  AgentPlaced,
  OfferAnswered,
  OfferExpired,
  TicketOffered,
  RingOpened,
  TicketAssigned,
  TicketRequeued,
  TicketUnassigned,
  ClockStarted,
  ClockDue,
  ClockWarned,
  ClockBreached,
  ClockBreachRevoked,
  ClockPaused,
  ClockResumed,
  ClockRetargeted,
  ClockStopped,
  ClockCancelled,
  EscalationRaised,
  EscalationClosed,
  MessageRequested,
  MessageSent,
  MessageFailed,
  NoticeSent,
  AgentChanged,
  PresenceChanged,
  PresenceLapsed,
  TokenIssued,
  TokenRevoked,
];

/** All versions of each type: found without making a name of both, because it is asked for each event in each group. */
const byType = new Map<string, EventDefinition[]>();
for (const definition of allEvents) byType.set(definition.type, [...(byType.get(definition.type) ?? []), definition]);

/** The definition of a type at a version, or undefined when this release does not know it. */
export function eventDefinition(type: string, version: number): EventDefinition | undefined {
  return byType.get(type)?.find((definition) => definition.version === version);
}
