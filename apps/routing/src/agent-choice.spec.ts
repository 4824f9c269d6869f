import { describe, expect, it } from '@jest/globals';
import type { AgentKey, MatcherRules } from '@tierline/events';
import { ToldPool, type AgentGiven } from '../test/told-pool.ts';

const MINUTE_MS = 60_000;
const rules = (...agentOrder: AgentKey[]): MatcherRules => ({ agentOrder, contactOrder: 'oldest' });

describe('of the agents who qualify', () => {
  it.each<[string, AgentKey[], Record<string, AgentGiven>, string]>([
    ['who has the most skills', ['most_skills', 'longest_idle'], { ada: { skills: { billing: 5 } }, kim: { skills: { billing: 5, german: 1 } } }, 'kim'],
    [
      'whose first skill it is',
      ['skill_order', 'longest_idle'],
      { ada: { skills: { german: 5, billing: 5 } }, ben: { skills: { billing: 5, german: 5 } } },
      'ben',
    ],
    [
      'who has been idle for longest',
      ['longest_idle', 'fewest_skills'],
      { kim: { skills: { billing: 5, german: 1 } }, ada: { skills: { billing: 5 } } },
      'kim',
    ],
    ['the first by id, whoever has been idle for longer', ['fewest_skills'], { ben: { skills: { billing: 5 } }, ada: { skills: { billing: 5 } } }, 'ada'],
  ])('%s is asked first when the pool says so', (_, agentOrder, agents, chosen) => {
    const pool = new ToldPool(rules(...agentOrder));
    for (const [id, agent] of Object.entries(agents)) {
      pool.place(id, agent);
      pool.nowMs += 1_000;
    }
    expect(pool.queue('T1', { skills: { billing: 5 } })).toEqual([`T1 offered to ${chosen}`]);
  });

  it('who has more of the preferred skills is asked first, but never of a higher tier', () => {
    const pool = new ToldPool();
    pool.place('ada');
    pool.place('ben', { skills: { german: 1, billing: 1 } });
    pool.place('kim', { skills: { german: 9, french: 9 }, tier: 2 });
    expect(pool.queue('T1', { preferred: ['german', 'french'] })).toEqual(['T1 offered to ben']);
    expect(pool.queue('T2', { preferred: ['german', 'french'] })).toEqual(['T2 offered to ada']);
  });

  it('whose time away was short has gone on being idle, without that time', () => {
    const pool = new ToldPool();
    pool.place('zoe');
    pool.nowMs += 10 * MINUTE_MS;
    pool.place('ada');
    pool.place('zoe', { presence: 'away' });
    pool.nowMs += MINUTE_MS - 1;
    pool.place('zoe');
    expect(pool.queue('T1')).toEqual(['T1 offered to zoe']);
  });

  it('who was away for a minute begins anew', () => {
    const pool = new ToldPool();
    pool.place('zoe');
    pool.nowMs += 10 * MINUTE_MS;
    pool.place('ada');
    pool.place('zoe', { presence: 'away' });
    pool.nowMs += MINUTE_MS;
    pool.place('zoe');
    expect(pool.queue('T1')).toEqual(['T1 offered to ada']);
  });

  it('who has finished something has been idle since then', () => {
    const pool = new ToldPool();
    pool.place('zoe');
    pool.queue('T1');
    pool.accept('T1');
    pool.nowMs += MINUTE_MS;
    pool.place('ada');
    pool.nowMs += 1;
    pool.withdraw('T1');
    expect(pool.queue('T2')).toEqual(['T2 offered to ada']);
  });
});

describe('work that interrupts', () => {
  it('is held off only by work that does so too, and holds everything else off', () => {
    const pool = new ToldPool();
    pool.place('ada', { capacity: 2 });
    for (const mail of ['M1', 'M2']) {
      pool.queue(mail);
      pool.accept(mail);
    }
    expect(pool.queue('M3')).toEqual([]);
    expect(pool.queue('C1', { weight: 2, interrupts: true })).toEqual(['C1 offered to ada']);
    pool.accept('C1');
    expect(pool.queue('C2', { weight: 2, interrupts: true })).toEqual([]);
    for (const gone of ['C2', 'M1', 'M2']) pool.withdraw(gone);
    expect(pool.tickets().filter(({ offer }) => offer)).toEqual([]);
    expect(pool.withdraw('C1')).toEqual(['C1 unassigned from ada: solved', 'M3 offered to ada']);
  });
});
