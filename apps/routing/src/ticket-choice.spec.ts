import { describe, expect, it } from '@jest/globals';
import type { MatcherRules } from '@tierline/events';
import { ToldPool, type TicketGiven } from '../test/told-pool.ts';

const HOUR_MS = 3_600_000;
const rules = (contactOrder: MatcherRules['contactOrder'], maxAgeMs?: number): MatcherRules => ({
  agentOrder: [],
  contactOrder,
  ...(maxAgeMs && { maxAgeMs }),
});

/** In which order one agent gets what waits. */
function served(pool: ToldPool, skills: Record<string, number>): string[] {
  const order: string[] = [];
  pool.place('ada', { skills, capacity: 99 });
  for (let next = pool.tickets().find(({ offer }) => offer); next; next = pool.tickets().find(({ offer }) => offer)) {
    order.push(next.ticketId);
    pool.accept(next.ticketId);
  }
  return order;
}

function waiting(pool: ToldPool, tickets: Record<string, TicketGiven>): ToldPool {
  for (const [name, given] of Object.entries(tickets)) {
    pool.queue(name, given);
    pool.nowMs += HOUR_MS;
  }
  return pool;
}

describe('of the tickets that wait, a freed agent takes', () => {
  it('the one that counts as waiting longest, with what its boosts add', () => {
    const pool = waiting(new ToldPool(), { first: {}, vip: { boostMs: 1.5 * HOUR_MS }, urgent: { priority: 'urgent', boostMs: 0.5 * HOUR_MS }, last: {} });
    expect(served(pool, {})).toEqual(['urgent', 'vip', 'first', 'last']);
  });

  it('with strict rules the highest priority, but first what is older than the greatest age', () => {
    const tickets: Record<string, TicketGiven> = { low: { priority: 'low' }, normal: {}, high: { priority: 'high' }, urgent: { priority: 'urgent' } };
    expect(served(waiting(new ToldPool(rules('strict', 100 * HOUR_MS)), tickets), {})).toEqual(['urgent', 'high', 'normal', 'low']);
    expect(served(waiting(new ToldPool(rules('strict', 3 * HOUR_MS)), tickets), {})).toEqual(['low', 'normal', 'urgent', 'high']);
  });

  it('by skill order that of their first skill, the oldest first in each', () => {
    const tickets: Record<string, TicketGiven> = {
      billing1: { skills: { billing: 1 } },
      german1: { skills: { german: 1 } },
      billing2: { skills: { billing: 2 } },
    };
    const pool = (): ToldPool => waiting(new ToldPool(rules('skill_order')), tickets);
    expect(served(pool(), { german: 5, billing: 5 })).toEqual(['german1', 'billing1', 'billing2']);
    expect(served(pool(), { billing: 5, german: 5 })).toEqual(['billing1', 'billing2', 'german1']);
  });
});
