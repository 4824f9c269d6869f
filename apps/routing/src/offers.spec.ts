import { describe, expect, it } from '@jest/globals';
import { OFFER_TIMEOUT_MS, START_MS, ToldPool } from '../test/told-pool.ts';

describe('an offer', () => {
  it('that is declined goes to everybody else before it comes back', () => {
    const pool = new ToldPool();
    for (const id of ['ada', 'ben', 'cem']) pool.place(id);
    expect(pool.queue('T1')).toEqual(['T1 offered to ada']);
    expect(pool.decline('T1')).toEqual(['T1 requeued from ada: declined', 'T1 offered to ben']);
    pool.nowMs += 60_000;
    expect(pool.decline('T1')).toEqual(['T1 requeued from ben: declined', 'T1 offered to cem']);
    expect(pool.decline('T1')).toEqual(['T1 requeued from cem: declined', 'T1 offered to ada']);
    expect(pool.accept('T1')).toEqual(['T1 assigned to ada']);
    expect(pool.ticket('T1')).toMatchObject({ enqueuedAtMs: START_MS, declinedBy: [] });
  });

  it('that is declined leaves the agent to other work, and waits for who is busy', () => {
    const pool = new ToldPool();
    pool.place('ben');
    pool.queue('T0');
    pool.accept('T0');
    pool.place('ada', { capacity: 9 });
    expect(pool.queue('T1')).toEqual(['T1 offered to ada']);
    expect(pool.queue('T2')).toEqual([]);
    expect(pool.decline('T1')).toEqual(['T1 requeued from ada: declined', 'T2 offered to ada']);
    expect(pool.accept('T2')).toEqual(['T2 assigned to ada']);
    expect(pool.withdraw('T0')).toEqual(['T0 unassigned from ben: solved', 'T1 offered to ben']);
  });

  it('that was declined comes back when nobody else is left', () => {
    const pool = new ToldPool();
    pool.place('ben');
    pool.queue('T0');
    pool.accept('T0');
    pool.place('ada');
    pool.queue('T1');
    expect(pool.decline('T1')).toEqual(['T1 requeued from ada: declined']);
    expect(pool.place('ben', { presence: 'away' })).toEqual(['T1 offered to ada']);
  });

  it('that nobody answers goes to the next, and its agent gets nothing until they come back', () => {
    const pool = new ToldPool();
    pool.place('ada');
    pool.queue('T1');
    pool.nowMs += OFFER_TIMEOUT_MS;
    expect(pool.expire('T1')).toEqual(['T1 requeued from ada: expired']);
    expect(pool.place('ada', { capacity: 5 })).toEqual([]);
    expect(pool.place('ben')).toEqual(['T1 offered to ben']);
    expect(pool.queue('T2')).toEqual([]);
    expect(pool.place('ada', { presence: 'away' })).toEqual([]);
    expect(pool.place('ada')).toEqual(['T2 offered to ada']);
  });

  it('is answered once: what comes too late means nothing', () => {
    const pool = new ToldPool();
    pool.place('ada');
    pool.queue('T1');
    const first = pool.offerOf('T1');
    pool.expire('T1');
    expect(pool.accept('T1', first)).toEqual([]);
    expect(pool.expire('T1', first)).toEqual([]);
    pool.place('ben');
    expect(pool.accept('T1', first)).toEqual([]);
    expect(pool.accept('T1')).toEqual(['T1 assigned to ben']);
    pool.withdraw('T1');
    expect(pool.accept('T1', first)).toEqual([]);
    expect(pool.withdraw('T1')).toEqual([]);
  });

  it('is taken back when the ticket is solved or escalated', () => {
    const pool = new ToldPool();
    pool.place('ada');
    pool.queue('T1');
    expect(pool.withdraw('T1')).toEqual(['T1 rescinded from ada: solved']);
    pool.queue('T2');
    expect(pool.queue('T2', { tier: 2 }, 'escalated')).toEqual(['T2 rescinded from ada: escalated']);
    expect(pool.place('kim', { tier: 2 })).toEqual(['T2 offered to kim']);
  });

  it('records who was considered, and who was passed over and why', () => {
    const pool = new ToldPool();
    const skills = { billing: 5 };
    pool.place('away', { skills, presence: 'away' });
    pool.place('off', { skills, presence: 'offline' });
    pool.place('missed', { skills });
    pool.queue('M', { skills });
    pool.expire('M');
    pool.withdraw('M');
    pool.place('busy', { skills });
    pool.queue('B', { skills });
    pool.accept('B');
    pool.place('offered', { skills });
    pool.queue('O', { skills });
    pool.place('declined', { skills });
    pool.queue('T', { skills });
    pool.place('free', { skills: { billing: 5, german: 5 } });
    pool.place('unskilled');
    pool.decline('T');
    const [, offered] = pool.decisions;
    expect(offered).toMatchObject({
      type: 'offered',
      offer: { agentId: 'free' },
      record: {
        ring: 0,
        candidates: 7,
        passedOver: [
          { agentId: 'away', reason: 'away' },
          { agentId: 'off', reason: 'offline' },
          { agentId: 'missed', reason: 'missed' },
          { agentId: 'busy', reason: 'busy' },
          { agentId: 'offered', reason: 'offered' },
          { agentId: 'declined', reason: 'declined' },
        ],
        // tier 1, no preferred skill missing, four skills with tier and team, level 5, no load
        winningKey: [1, 0, 4, -5, 0, START_MS, 'free'],
      },
    });
  });

  it('names ten at most of those passed over', () => {
    const pool = new ToldPool();
    for (let n = 0; n < 40; n++) pool.place(`away-${n}`, { presence: 'away' });
    pool.place('ada');
    pool.queue('T1');
    const [offered] = pool.decisions;
    expect(offered).toMatchObject({ record: { candidates: 41, passedOver: { length: 10 } } });
  });
});
