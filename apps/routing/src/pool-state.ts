import type {
  AgentProfile,
  DecisionRecord,
  Presence,
  Ring,
  SkillRequirement,
  TicketPriority,
  TicketRequeued,
  TicketUnassigned,
  TicketWithdrawn,
  RingOpened,
} from '@tierline/events';

/** What tickets have in common that come from one queue in one way: what is asked of agents, and how. */
export interface TicketTerms {
  readonly queue: string;
  readonly tier: number;
  readonly priority: TicketPriority;
  /** What stays required once all rings are over. */
  readonly required: readonly SkillRequirement[];
  readonly preferred?: readonly string[] | undefined;
  readonly rings?: readonly Ring[] | undefined;
  /** Asked for instead as long as nobody whom the pool knows has what is required. */
  readonly fallback?: readonly SkillRequirement[] | undefined;
  /** In the units of the agents' capacity. */
  readonly weight: number;
  /** Whether only work that does so too holds it off. */
  readonly interrupts?: boolean | undefined;
  /** How long an offer may ring; at 0 nobody is asked, and the ticket is assigned at once. */
  readonly offerTimeoutMs: number;
}

export interface Offer {
  readonly offerId: string;
  readonly agentId: string;
  readonly offeredAtMs: number;
  readonly expiresAtMs: number;
}

/** A ticket in the hands of the pool: all that has to be kept of it. */
export interface PoolTicket extends TicketTerms {
  readonly ticketId: string;
  readonly enqueuedAtMs: number;
  /** How much longer than it does it counts as waiting, besides for its priority. */
  readonly boostMs?: number | undefined;
  /** The ring whose time it is, and since when; none without rings. */
  readonly ring?: number | undefined;
  readonly ringOpenedAtMs?: number | undefined;
  /** What is asked for, when that is further on because nobody has what the ring asks for. */
  readonly rung?: number | undefined;
  /** Waiting without either; offered with `offer`; assigned with `assigneeId`. */
  readonly offer?: Offer | undefined;
  readonly assigneeId?: string | undefined;
  /** Who has declined it, until everybody has. */
  readonly declinedBy: readonly string[];
}

/** An agent as the pool knows them: all that has to be kept of them. */
export interface PoolAgent {
  readonly profile: AgentProfile;
  readonly presence: Presence;
  /** False after a missed offer, until the agent comes back from away or offline. */
  readonly responding: boolean;
  /** Since when the agent has been given nothing and finished nothing, but for times away of less than a minute. */
  readonly idleSinceMs: number;
  /** Since when they could not be reached. */
  readonly awaySinceMs?: number | undefined;
}

/** What the matcher has decided, in order. More about a ticket that is still in the pool is asked of the matcher. */
export type Decision =
  | { readonly type: 'offered'; readonly ticketId: string; readonly offer: Offer; readonly waitedMs: number; readonly record: DecisionRecord }
  | { readonly type: 'assigned'; readonly ticketId: string; readonly offer: Offer; readonly team: string; readonly waitedMs: number }
  | {
      readonly type: 'requeued';
      readonly ticketId: string;
      readonly agentId: string;
      /** The offer that came to nothing; none when the agent had accepted. */
      readonly offer: Offer | undefined;
      readonly reason: TicketRequeued['data']['reason'];
    }
  | { readonly type: 'unassigned'; readonly ticketId: string; readonly agentId: string; readonly reason: TicketUnassigned['data']['reason'] }
  /** An offer was taken back before it was answered, because the ticket needs nobody of this pool, or somebody else. */
  | { readonly type: 'rescinded'; readonly ticketId: string; readonly offer: Offer; readonly reason: TicketWithdrawn['data']['reason'] }
  /** A ring's time began; the matcher is to be told when it is over. */
  | { readonly type: 'ring_began'; readonly ticketId: string; readonly ring: number; readonly openedAtMs: number; readonly endsAtMs: number }
  /** Other agents than before are asked for. */
  | {
      readonly type: 'ring_opened';
      readonly ticketId: string;
      readonly ring: number;
      readonly reason: RingOpened['data']['reason'];
      readonly required: readonly SkillRequirement[];
      readonly candidates: number;
    };
