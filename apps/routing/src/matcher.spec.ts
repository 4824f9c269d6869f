import { describe, expect, it } from '@jest/globals';
import { START_MS, OFFER_TIMEOUT_MS, ToldPool, type AgentGiven } from '../test/told-pool.ts';

describe('a queued ticket', () => {
  it('is offered to an agent who is free, assigned when they accept, and leaves them when it is solved', () => {
    const pool = new ToldPool();
    pool.place('ada');
    expect(pool.queue('T1')).toEqual(['T1 offered to ada']);
    expect(pool.offerOf('T1')).toMatchObject({ offeredAtMs: START_MS, expiresAtMs: START_MS + OFFER_TIMEOUT_MS });
    expect(pool.queue('T2')).toEqual([]);
    expect(pool.accept('T1')).toEqual(['T1 assigned to ada']);
    expect(pool.withdraw('T1')).toEqual(['T1 unassigned from ada: solved', 'T2 offered to ada']);
  });

  it('waits for somebody who qualifies', () => {
    const pool = new ToldPool();
    pool.place('ada', { skills: { billing: 2 } });
    expect(pool.queue('T1', { skills: { billing: 3 } })).toEqual([]);
    expect(pool.queue('T2', { tier: 2 })).toEqual([]);
    expect(pool.queue('T3', { team: 'experts' })).toEqual([]);
    expect(pool.queue('T4')).toEqual(['T4 offered to ada']);
    expect(pool.place('ben', { skills: { billing: 3 } })).toEqual(['T1 offered to ben']);
    expect(pool.place('kim', { tier: 3 })).toEqual(['T2 offered to kim']);
    expect(pool.place('gus', { team: 'experts' })).toEqual(['T3 offered to gus']);
  });

  it('is not held up by an older one that nobody can serve', () => {
    const pool = new ToldPool();
    pool.queue('T1', { skills: { german: 5 } });
    pool.queue('T2', { weight: 3 });
    pool.queue('T3');
    expect(pool.place('ada', { capacity: 2 })).toEqual(['T3 offered to ada']);
  });

  it.each<[string, Record<string, AgentGiven>, string]>([
    ['the lowest tier', { kim: { tier: 3 }, ada: { skills: { billing: 5, german: 5 } } }, 'ada'],
    ['the fewest skills', { ada: { skills: { billing: 9, german: 5 } }, ben: { skills: { billing: 5 } } }, 'ben'],
    ['the best level', { ada: { skills: { billing: 5 } }, ben: { skills: { billing: 6 } } }, 'ben'],
    ['the longest idle', { zoe: { skills: { billing: 5 } }, ada: { skills: { billing: 5 } } }, 'zoe'],
  ])('goes to %s', (_, agents, chosen) => {
    const pool = new ToldPool();
    for (const [id, agent] of Object.entries(agents)) {
      pool.place(id, { skills: { billing: 5 }, ...agent });
      pool.nowMs += 1_000;
    }
    expect(pool.queue('T1', { skills: 'tier' in Object.values(agents)[0]! ? {} : { billing: 5 } })).toEqual([`T1 offered to ${chosen}`]);
  });

  it('goes to who carries the lowest share of their capacity, before who has been idle for longer', () => {
    const pool = new ToldPool();
    pool.place('ada', { capacity: 2 });
    pool.queue('T1');
    pool.accept('T1');
    pool.nowMs += 1_000;
    pool.place('ben', { capacity: 3 });
    expect(pool.queue('T2')).toEqual(['T2 offered to ben']);
    pool.accept('T2');
    // One of three against one of two.
    expect(pool.queue('T3')).toEqual(['T3 offered to ben']);
  });

  it('takes its place by age and priority', () => {
    const pool = new ToldPool();
    pool.queue('old');
    pool.nowMs += 3 * 3_600_000;
    pool.queue('low', { priority: 'low' });
    pool.queue('normal');
    pool.queue('high', { priority: 'high' });
    pool.queue('urgent', { priority: 'urgent' });
    pool.queue('raised', {});
    pool.nowMs += 1;
    expect(pool.queue('raised', { priority: 'urgent' }, 'reprioritized')).toEqual([]);
    pool.place('ada', { capacity: 9 });
    const order: string[] = [];
    for (let next = pool.tickets().find(({ offer }) => offer); next; next = pool.tickets().find(({ offer }) => offer)) {
      order.push(next.ticketId);
      pool.accept(next.ticketId);
    }
    expect(order).toEqual(['old', 'raised', 'urgent', 'high', 'normal', 'low']);
  });

  it('that is raised in priority stays with who has it', () => {
    const pool = new ToldPool();
    pool.place('ada');
    pool.queue('T1');
    expect(pool.queue('T1', { priority: 'urgent' }, 'reprioritized')).toEqual([]);
    expect(pool.accept('T1')).toEqual(['T1 assigned to ada']);
    expect(pool.queue('T1', { priority: 'low' }, 'reprioritized')).toEqual([]);
    expect(pool.ticket('T1')).toMatchObject({ assigneeId: 'ada', priority: 'low' });
    expect(pool.queue('unknown', {}, 'reprioritized')).toEqual([]);
  });
});

describe('an agent', () => {
  it('who goes offline leaves their tickets to others, with their age', () => {
    const pool = new ToldPool();
    pool.place('ada', { capacity: 3 });
    pool.queue('T1');
    pool.accept('T1');
    pool.nowMs += 1_000;
    pool.queue('T2');
    pool.accept('T2');
    pool.queue('T3');
    expect(pool.place('ada', { capacity: 3, presence: 'offline' })).toEqual([
      'T3 requeued from ada: agent_offline',
      'T1 unassigned from ada: agent_offline',
      'T1 requeued from ada: agent_offline',
      'T2 unassigned from ada: agent_offline',
      'T2 requeued from ada: agent_offline',
    ]);
    expect(pool.place('ben')).toEqual(['T1 offered to ben']);
    expect(pool.ticket('T1')).toMatchObject({ enqueuedAtMs: START_MS });
  });

  it('who is away keeps their tickets, but not an offer', () => {
    const pool = new ToldPool();
    pool.place('ada', { capacity: 2 });
    pool.queue('T1');
    pool.accept('T1');
    pool.queue('T2');
    expect(pool.place('ada', { capacity: 2, presence: 'away' })).toEqual(['T2 requeued from ada: agent_offline']);
    expect(pool.ticket('T1')).toMatchObject({ assigneeId: 'ada' });
  });

  it.each<[string, AgentGiven]>([
    ['is deactivated', { active: false }],
    ['moves to another pool', { pool: 'other' }],
  ])('who %s leaves everything', (_, change) => {
    const pool = new ToldPool();
    pool.place('ada', { capacity: 2 });
    pool.queue('T1');
    pool.accept('T1');
    pool.queue('T2');
    expect(pool.place('ada', { capacity: 2, ...change })).toHaveLength(3);
    expect(pool.place('ada', { capacity: 2, ...change })).toEqual([]);
    expect(pool.agents()).toEqual([]);
    expect(pool.place('ben')).toEqual(['T1 offered to ben']);
  });

  it('who learns a skill gets what waits for it', () => {
    const pool = new ToldPool();
    pool.place('ada');
    pool.queue('T1', { skills: { german: 5 } });
    expect(pool.place('ada', { skills: { german: 5 } })).toEqual(['T1 offered to ada']);
  });

  it('keeps an escalated ticket from nobody: it goes to the higher tier with its age', () => {
    const pool = new ToldPool();
    pool.place('ada');
    pool.place('kim', { tier: 2 });
    pool.queue('T1');
    pool.accept('T1');
    pool.nowMs += 60_000;
    expect(pool.queue('T1', { tier: 2 }, 'escalated')).toEqual(['T1 unassigned from ada: escalated', 'T1 offered to kim']);
    expect(pool.decisions[1]).toMatchObject({ waitedMs: 60_000 });
  });
});
