import { describe, expect, it } from '@jest/globals';
import { ToldPool } from '../test/told-pool.ts';

const RING_MS = 30_000;
const asks = (skill: string, minLevel = 1) => [{ skill, minLevel }];
const rings = [
  { required: asks('billing', 5), durationMs: RING_MS },
  { required: asks('billing', 3), durationMs: 2 * RING_MS },
];

describe('a ring', () => {
  it('asks for more at first; each is open for its own time, and what is required without them stays', () => {
    const pool = new ToldPool();
    pool.place('ada', { skills: { billing: 1 } });
    pool.place('ben', { skills: { billing: 3 }, presence: 'away' });
    pool.place('kim', { skills: { billing: 5 }, presence: 'away' });
    expect(pool.queue('T1', { skills: { billing: 1 }, rings })).toEqual([]);
    expect(pool.decisions).toMatchObject([{ type: 'ring_began', ring: 0, endsAtMs: pool.nowMs + RING_MS }]);
    pool.nowMs += RING_MS;
    expect(pool.endRing('T1')).toEqual(['T1 in ring 1: time']);
    expect(pool.decisions).toMatchObject([
      { type: 'ring_began', ring: 1, endsAtMs: pool.nowMs + 2 * RING_MS },
      { ring: 1, required: asks('billing', 3), candidates: 2 },
    ]);
    pool.nowMs += 2 * RING_MS;
    expect(pool.endRing('T1')).toEqual(['T1 in ring 2: time', 'T1 offered to ada']);
    expect(pool.decisions.at(-1)).toMatchObject({ record: { ring: 2, candidates: 3 } });
  });

  it('begins when it opens, however late that is, and ends once', () => {
    const pool = new ToldPool();
    for (const [id, billing] of [['ada', 1], ['ben', 3], ['kim', 5]] as const) pool.place(id, { skills: { billing }, presence: 'away' }); // prettier-ignore
    pool.queue('T1', { rings });
    const first = pool.ticket('T1')!;
    pool.nowMs += 10 * RING_MS;
    pool.endRing('T1');
    expect(pool.decisions).toMatchObject([{ ring: 1, openedAtMs: pool.nowMs, endsAtMs: pool.nowMs + 2 * RING_MS }, {}]);
    expect(pool.endRing('T1', first)).toEqual([]);
    expect(pool.ticket('T1')).toMatchObject({ ring: 1, rung: 1 });
  });

  it('goes on while an offer rings, and stops while somebody has the ticket', () => {
    const pool = new ToldPool();
    pool.place('kim', { skills: { billing: 5 } });
    pool.place('ada', { presence: 'away' });
    pool.queue('T1', { rings });
    pool.nowMs += RING_MS;
    expect(pool.endRing('T1')).toEqual([]);
    expect(pool.decisions).toMatchObject([{ type: 'ring_began', ring: 1 }]);
    expect(pool.accept('T1')).toEqual(['T1 assigned to kim']);
    expect(pool.endRing('T1')).toEqual([]);
    pool.nowMs += 1;
    expect(pool.place('kim', { skills: { billing: 5 }, presence: 'offline' })).toEqual([
      'T1 unassigned from kim: agent_offline',
      'T1 requeued from kim: agent_offline',
      'T1 in ring 1: time',
    ]);
    expect(pool.ticket('T1')).toMatchObject({ ring: 1, ringOpenedAtMs: pool.nowMs });
  });

  it('that nobody could answer is passed over at once, and asked for again when somebody could', () => {
    const pool = new ToldPool();
    pool.place('ben', { skills: { billing: 3 }, presence: 'away' });
    expect(pool.queue('T1', { skills: { billing: 1 }, rings })).toEqual(['T1 in ring 1: nobody']);
    expect(pool.place('kim', { skills: { billing: 5 }, presence: 'away' })).toEqual(['T1 in ring 0: somebody']);
    expect(pool.place('kim', { active: false })).toEqual(['T1 in ring 1: nobody']);
  });
});

describe('a fallback', () => {
  const fallback = asks('english');

  it('is asked for while the pool knows nobody who has what is required', () => {
    const pool = new ToldPool();
    pool.place('kim', { skills: { german: 5, english: 1 } });
    pool.queue('T0', { skills: { german: 5 }, fallback });
    pool.place('ada', { skills: { english: 1 }, capacity: 9 });
    expect(pool.queue('T1', { skills: { german: 5 }, fallback })).toEqual([]);
    // Kim forgets her German: nobody else has it.
    expect(pool.place('kim', { skills: { english: 1 } })).toEqual(['T1 in ring 1: nobody', 'T1 offered to ada']);
    expect(pool.decisions.at(-1)).toMatchObject({ record: { ring: 1 } });
  });

  it('is not asked for while who has what is required is only away', () => {
    const pool = new ToldPool();
    pool.place('kim', { skills: { german: 5 }, presence: 'offline' });
    pool.place('ada', { skills: { english: 1 } });
    expect(pool.queue('T1', { skills: { german: 5 }, fallback })).toEqual([]);
  });
});
