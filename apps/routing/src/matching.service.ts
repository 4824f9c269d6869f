import { Injectable } from '@nestjs/common';
import { OfferExpired, PoolConfigured, RingEnded, RingOpened, TicketAssigned, TicketOffered, TicketRequeued, TicketUnassigned } from '@tierline/events';
import type { LogTransaction } from '@tierline/log';
import { Timers } from '@tierline/timers';
import { applyEvent, type PoolEvent } from './apply-event.ts';
import { Matcher } from './matcher.ts';
import type { Decision, Offer, PoolTicket } from './pool-state.ts';
import { PoolRows, type MadeOffer, type OfferOutcome } from './pool-rows.service.ts';
import { touchedBy } from './touched-by.ts';

/** A pool in memory: a cache of its rows as of a version. */
interface CachedPool {
  matcher: Matcher;
  readonly version: number;
}

/** The pools that one transaction works on, and what it changes in them. */
interface Batch {
  readonly pools: Map<string, CachedPool>;
  readonly tickets: Map<string, { pool: string; id: string }>;
  readonly agents: Map<string, { pool: string; id: string }>;
  readonly made: MadeOffer[];
  readonly ended: Map<string, OfferOutcome>;
  /** The pools whose rules have changed. */
  readonly configured: Set<string>;
}

/** Lets the matchers decide, and keeps and says what they decided. */
@Injectable()
export class MatchingService {
  /** Pools that no transaction has taken. One whose transaction fails does not come back: its memory is ahead of its rows, and the next batch reads them again. */
  private readonly cached = new Map<string, CachedPool>();
  private readonly batches = new WeakMap<LogTransaction, Batch>();
  /** Who wants to know when an offer ends, by its id. */
  private readonly listeners = new Map<string, Set<() => void>>();

  constructor(
    private readonly rows: PoolRows,
    private readonly timers: Timers,
  ) {}

  /** A batch comes in runs of one type each; its rows are written once, at the end. */
  async decide(tx: LogTransaction, events: PoolEvent[]): Promise<void> {
    const batch = this.batchOf(tx);
    await this.take(tx, batch, new Set(events.map(({ data }) => data.pool)));
    const nowMs = (await tx.now()).getTime();
    for (const event of events) {
      const { pool } = event.data;
      const { matcher } = batch.pools.get(pool)!;
      // While it rings, its ring has a timer; an assigned ticket has none, and nobody asks for a withdrawn one.
      const before = event.type === 'ticket.withdrawn' ? matcher.ticket(event.data.ticketId) : undefined;
      if (before?.ringOpenedAtMs !== undefined) this.timers.cancel(tx, ringTimer(before.ticketId));
      const decisions = applyEvent(matcher, pool, event, nowMs);
      const touched = touchedBy(event, decisions);
      for (const id of touched.tickets) batch.tickets.set(`${pool}/${id}`, { pool, id });
      for (const id of touched.agents) batch.agents.set(`${pool}/${id}`, { pool, id });
      for (const decision of decisions) this.say(tx, batch, decision, event, nowMs);
    }
  }

  /** From now on the pools are matched by other rules: by new matchers, which begin where the old ones had come. */
  async configure(tx: LogTransaction, events: PoolConfigured[]): Promise<void> {
    const batch = this.batchOf(tx);
    await this.take(tx, batch, new Set(events.map(({ data }) => data.pool)));
    for (const { data } of events) {
      const held = batch.pools.get(data.pool)!;
      held.matcher = new Matcher({ rules: data.rules, tickets: held.matcher.keptTickets(), agents: held.matcher.keptAgents() });
      batch.configured.add(data.pool);
    }
  }

  /** Resolves when an offer has come to an end by a decision of this process, at the latest after `maxMs`. */
  async waitForEnd(offerId: string, maxMs: number): Promise<void> {
    const listeners = this.listeners.get(offerId) ?? new Set();
    this.listeners.set(offerId, listeners);
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        listeners.delete(done);
        if (listeners.size === 0) this.listeners.delete(offerId);
        resolve();
      };
      const timer = setTimeout(done, maxMs);
      listeners.add(done);
    });
  }

  private batchOf(tx: LogTransaction): Batch {
    const known = this.batches.get(tx);
    if (known) return known;
    const batch: Batch = { pools: new Map(), tickets: new Map(), agents: new Map(), made: [], ended: new Map(), configured: new Set() };
    this.batches.set(tx, batch);
    tx.beforeCommit(() => this.save(tx, batch));
    tx.committed.push(() => {
      for (const [name, pool] of batch.pools) this.cached.set(name, pool);
      for (const offerId of batch.ended.keys()) for (const done of this.listeners.get(offerId) ?? []) done();
    });
    return batch;
  }

  /** Takes pools into the batch: from memory when nobody has moved their rows since, else from the rows. */
  private async take(tx: LogTransaction, batch: Batch, names: ReadonlySet<string>): Promise<void> {
    const untaken = [...names].filter((name) => !batch.pools.has(name));
    if (untaken.length === 0) return;
    for (const [name, version] of await this.rows.lock(tx, untaken)) {
      const cached = this.cached.get(name);
      this.cached.delete(name);
      const matcher = cached?.version === version - 1 ? cached.matcher : await this.rows.load(tx, name);
      batch.pools.set(name, { matcher, version });
    }
  }

  private say(tx: LogTransaction, batch: Batch, decision: Decision, event: PoolEvent, nowMs: number): void {
    const { ticketId } = decision;
    const { pool } = event.data;
    const at = iso(nowMs);
    const ticket = (): PoolTicket => batch.pools.get(pool)!.matcher.ticket(ticketId)!;
    switch (decision.type) {
      case 'offered': {
        const { offer, waitedMs, record } = decision;
        const { queue, tier } = ticket();
        const { offerId, agentId } = offer;
        const dueAt = new Date(offer.expiresAtMs);
        const expiresAt = dueAt.toISOString();
        batch.made.push({
          offer_id: offerId,
          ticket_id: ticketId,
          agent_id: agentId,
          pool,
          queue,
          tier,
          waited_ms: waitedMs,
          offered_at: at,
          expires_at: expiresAt,
          decision: record,
        });
        this.timers.arm(tx, {
          name: offerTimer(offer),
          dueAt,
          definition: OfferExpired,
          key: pool,
          data: { offerId, ticketId, pool, agentId },
          causedBy: event,
        });
        tx.append(TicketOffered, ticketId, { ticketId, offerId, agentId, pool, queue, tier, waitedMs, offeredAt: at, expiresAt, decision: record }, event);
        return;
      }
      case 'assigned': {
        const { offer, team, waitedMs } = decision;
        const { queue, tier, rings } = ticket();
        if (rings) this.timers.cancel(tx, ringTimer(ticketId));
        this.end(tx, batch, offer, 'accepted');
        tx.append(
          TicketAssigned,
          ticketId,
          { ticketId, offerId: offer.offerId, agentId: offer.agentId, team, pool, queue, tier, waitedMs, assignedAt: at },
          event,
        );
        return;
      }
      case 'requeued': {
        const { offer, agentId, reason } = decision;
        const { queue, enqueuedAtMs } = ticket();
        if (offer) this.end(tx, batch, offer, reason);
        tx.append(
          TicketRequeued,
          ticketId,
          { ticketId, pool, queue, ...(offer && { offerId: offer.offerId }), agentId, reason, enqueuedAt: iso(enqueuedAtMs), requeuedAt: at },
          event,
        );
        return;
      }
      case 'unassigned':
        tx.append(TicketUnassigned, ticketId, { ticketId, agentId: decision.agentId, reason: decision.reason, unassignedAt: at }, event);
        return;
      case 'rescinded':
        this.end(tx, batch, decision.offer, decision.reason);
        return;
      case 'ring_began': {
        const { ring, openedAtMs, endsAtMs } = decision;
        const data = { ticketId, pool, ring, openedAt: iso(openedAtMs) };
        this.timers.arm(tx, { name: ringTimer(ticketId), dueAt: new Date(endsAtMs), definition: RingEnded, key: pool, data, causedBy: event });
        return;
      }
      case 'ring_opened': {
        const { ring, reason, required, candidates } = decision;
        tx.append(RingOpened, ticketId, { ticketId, pool, queue: ticket().queue, ring, reason, required: [...required], candidates, openedAt: at }, event);
        return;
      }
    }
  }

  private end(tx: LogTransaction, batch: Batch, offer: Offer, outcome: OfferOutcome): void {
    batch.ended.set(offer.offerId, outcome);
    this.timers.cancel(tx, offerTimer(offer));
  }

  private async save(tx: LogTransaction, { pools, tickets, agents, made, ended, configured }: Batch): Promise<void> {
    await this.rows.save(tx, {
      tickets: [...tickets.values()].map(({ pool, id }) => ({ pool, id, state: pools.get(pool)!.matcher.ticket(id) })),
      agents: [...agents.values()].map(({ pool, id }) => ({ pool, id, state: pools.get(pool)!.matcher.agent(id) })),
      rules: [...configured].map((pool) => ({ pool, rules: pools.get(pool)!.matcher.rules })),
      made,
      ended,
    });
  }
}

const offerTimer = ({ offerId }: Offer): string => `offer:${offerId}`;
const ringTimer = (ticketId: string): string => `ring:${ticketId}`;
const iso = (ms: number): string => new Date(ms).toISOString();
