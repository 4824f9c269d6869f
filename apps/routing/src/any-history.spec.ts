import { describe, expect, it } from '@jest/globals';
import { TIER_SKILL, type MatcherRules, type Presence, type SkillRequirement, type TicketPriority } from '@tierline/events';
import fc from 'fast-check';
import { ToldPool, type HeldAgent } from '../test/told-pool.ts';
import type { PoolTicket } from './pool-state.ts';
import { qualifies } from './skill-match.ts';

type Step = (pool: ToldPool) => unknown;
const step = (name: string, run: Step): Step => Object.assign(run, { toString: () => name });
const pick = <T>(items: T[], index: number): T | undefined => items[index % (items.length || 1)];

// Few kinds of everything, so that they meet.
const skills = fc.constantFrom<Record<string, number>>({}, {}, { billing: 1 }, { billing: 2 }, { billing: 1, german: 1 }, { german: 1, billing: 1 });
const ticketName = fc.constantFrom('T1', 'T2', 'T3', 'T4', 'T5', 'T6', 'T7', 'T8', 'T9');
const agentName = fc.constantFrom('ada', 'ben', 'cem', 'dora');
const index = fc.nat({ max: 20 });
const ring = fc.record({
  required: fc.constantFrom<SkillRequirement[]>([{ skill: 'billing', minLevel: 2 }], [{ skill: 'german', minLevel: 1 }]),
  durationMs: fc.constant(30_000),
});
const ticketGiven = fc.record(
  {
    skills,
    tier: fc.constantFrom(1, 1, 1, 2),
    priority: fc.constantFrom<TicketPriority>('urgent', 'high', 'normal', 'low'),
    weight: fc.constantFrom(0.1, 0.5, 1, 2),
    preferred: fc.constantFrom<string[]>([], ['german']),
    rings: fc.array(ring, { maxLength: 2 }),
    fallback: fc.constantFrom<SkillRequirement[]>([], [{ skill: TIER_SKILL, minLevel: 1 }]),
    boostMs: fc.constantFrom(0, 3_600_000),
    interrupts: fc.boolean(),
  },
  { requiredKeys: ['skills', 'tier', 'priority', 'weight'] },
);
const agentGiven = fc.record({
  skills,
  tier: fc.constantFrom(1, 1, 2),
  capacity: fc.constantFrom(0, 0.3, 1, 2, 3),
  presence: fc.constantFrom<Presence>('available', 'available', 'available', 'away', 'offline'),
  pool: fc.constantFrom('main', 'main', 'main', 'main', 'other'),
});
const rules = fc.constantFrom<MatcherRules | undefined>(
  undefined,
  { agentOrder: ['longest_idle', 'most_skills'], contactOrder: 'strict', maxAgeMs: 3_600_000 },
  { agentOrder: ['skill_order', 'load'], contactOrder: 'skill_order' },
);

const offered = (pool: ToldPool, n: number): string | undefined => pick(pool.tickets().filter(({ offer }) => offer), n)?.ticketId; // prettier-ignore
const answered = (name: string, answer: (pool: ToldPool, ticket: string) => unknown): fc.Arbitrary<Step> =>
  index.map((n) =>
    step(`${name} ${n}`, (pool) => {
      const ticket = offered(pool, n);
      if (ticket !== undefined) answer(pool, ticket);
    }),
  );
const queued = (name: string, queue: (pool: ToldPool, ticket: string, given: Parameters<ToldPool['queue']>[1]) => unknown): fc.Arbitrary<Step> =>
  fc.tuple(ticketName, ticketGiven).map(([ticket, given]) => step(`${name} ${ticket} ${JSON.stringify(given)}`, (pool) => queue(pool, ticket, given)));

const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: queued('queue', (pool, ticket, given) => pool.ticket(ticket) ?? pool.queue(ticket, given)) },
    {
      weight: 4,
      arbitrary: fc.tuple(agentName, agentGiven).map(([name, given]) => step(`place ${name} ${JSON.stringify(given)}`, (pool) => pool.place(name, given))),
    },
    { weight: 4, arbitrary: answered('accept', (pool, ticket) => pool.accept(ticket)) },
    { weight: 3, arbitrary: answered('decline', (pool, ticket) => pool.decline(ticket)) },
    { weight: 1, arbitrary: answered('expire', (pool, ticket) => pool.expire(ticket)) },
    { weight: 2, arbitrary: ticketName.map((name) => step(`withdraw ${name}`, (pool) => pool.withdraw(name))) },
    { weight: 2, arbitrary: ticketName.map((name) => step(`end ring ${name}`, (pool) => pool.endRing(name))) },
    { weight: 1, arbitrary: queued('escalate', (pool, ticket, given) => pool.ticket(ticket) && pool.queue(ticket, given, 'escalated')) },
    { weight: 1, arbitrary: queued('reprioritize', (pool, ticket, given) => pool.queue(ticket, given, 'reprioritized')) },
    { weight: 2, arbitrary: fc.integer({ min: 1, max: 3_600_000 }).map((ms) => step(`wait ${ms}`, (pool) => (pool.nowMs += ms))) },
  ),
  { minLength: 20, maxLength: 60, size: 'max' },
);

function run(given: Step[], its: MatcherRules | undefined, check: (pool: ToldPool) => void): ToldPool {
  const pool = new ToldPool(its);
  for (const take of given) {
    pool.decisions = [];
    take(pool);
    check(pool);
  }
  return pool;
}

const rungsOf = ({ rings = [], required, fallback }: PoolTicket): (readonly SkillRequirement[])[] => [
  ...rings.map((of) => of.required),
  required,
  ...(fallback ? [fallback] : []),
];
const askedOf = (ticket: PoolTicket): readonly SkillRequirement[] => rungsOf(ticket)[ticket.rung ?? 0]!;

const hasRoom = (agent: HeldAgent, { weight, interrupts }: PoolTicket): boolean =>
  (interrupts ? agent.live : agent.used) + weight <= agent.profile.capacity + 1e-9;

const couldTake = (agent: HeldAgent, ticket: PoolTicket): boolean =>
  agent.presence === 'available' && agent.responding && agent.offers === 0 && hasRoom(agent, ticket) && qualifies(agent.levels, askedOf(ticket));

describe('over any history', () => {
  it('no agent is free while a ticket waits that they could take and have not declined', () => {
    fc.assert(
      fc.property(steps, rules, (given, its) => {
        run(given, its, (pool) => {
          const agents = pool.agents();
          for (const ticket of pool.waiting()) {
            const free = agents.filter((agent) => couldTake(agent, ticket));
            expect(free.filter(({ id }) => !ticket.declinedBy.includes(id))).toEqual([]);
            // Who declined may rest only while somebody else might still say yes.
            if (free.length > 0) {
              const left = agents.filter((agent) => couldTake({ ...agent, offers: 0, used: 0, live: 0 }, ticket) && !ticket.declinedBy.includes(agent.id));
              expect(left).not.toEqual([]);
            }
          }
        });
      }),
      { numRuns: 60 },
    );
  });

  it('a ticket has one holder, an agent one offer, and no offer exceeds capacity or skills', () => {
    fc.assert(
      fc.property(steps, rules, (given, its) => {
        const holders = new Map<string, string>();
        const roomAtOffer = new Map<string, number>();
        run(given, its, (pool) => {
          for (const decision of pool.decisions) {
            if (decision.type === 'assigned') expect(holders.has(decision.ticketId)).toBe(false);
            if (decision.type === 'assigned') holders.set(decision.ticketId, decision.offer.agentId);
            if (decision.type === 'unassigned') expect(holders.get(decision.ticketId)).toBe(decision.agentId);
            if (decision.type === 'unassigned') holders.delete(decision.ticketId);
          }
          for (const agent of pool.agents()) {
            expect(agent.offers).toBeLessThanOrEqual(1);
            for (const decision of pool.decisions) {
              if (decision.type !== 'offered' && decision.type !== 'assigned') continue;
              const { ticketId, offer } = decision;
              const ticket = pool.ticket(ticketId)!;
              if (offer.agentId !== agent.id) continue;
              if (decision.type === 'offered') expect(couldTake({ ...agent, offers: 0 }, ticket)).toBe(true);
              if (decision.type === 'offered') roomAtOffer.set(offer.offerId, agent.profile.capacity);
              else expect(ticket.interrupts ? agent.live : agent.used).toBeLessThanOrEqual(roomAtOffer.get(offer.offerId)! + 1e-9);
            }
          }
          expect(pool.tickets().every(({ offer, assigneeId }) => !offer || assigneeId === undefined)).toBe(true);
        });
      }),
      { numRuns: 60 },
    );
  });

  it('an offer takes the first in line for its agent: nobody is overtaken by more than the boosts, or than the rules say', () => {
    const boostOf = { urgent: 7_200_000, high: 1_800_000, normal: 0, low: -1_800_000 };
    const priorities = Object.keys(boostOf);
    const keyFor = (agent: HeldAgent, nowMs: number, { contactOrder, maxAgeMs = 0 }: MatcherRules) => {
      const order = agent.profile.skills.map(({ skill }) => skill);
      return (ticket: PoolTicket): [number, number] => {
        const { enqueuedAtMs, boostMs = 0, priority } = ticket;
        if (contactOrder === 'oldest') return [0, enqueuedAtMs - boostMs - boostOf[priority]];
        const key = enqueuedAtMs - boostMs;
        if (contactOrder === 'strict') return [nowMs - key >= maxAgeMs ? -1 : priorities.indexOf(priority), key];
        const first = askedOf(ticket).find(({ skill }) => skill !== TIER_SKILL);
        return [first ? order.indexOf(first.skill) : 0, key - boostOf[priority]];
      };
    };
    fc.assert(
      fc.property(steps, rules, (given, its) => {
        run(given, its, (pool) => {
          for (const decision of pool.decisions) {
            if (decision.type !== 'offered') continue;
            const agent = pool.agents().find(({ id }) => id === decision.offer.agentId)!;
            const keyOf = keyFor(agent, pool.nowMs, its ?? { agentOrder: [], contactOrder: 'oldest' });
            const [rank, key] = keyOf(pool.ticket(decision.ticketId)!);
            for (const other of pool.waiting()) {
              if (!couldTake({ ...agent, offers: 0 }, other) || other.declinedBy.includes(agent.id)) continue;
              const [otherRank, otherKey] = keyOf(other);
              expect(otherRank).toBeGreaterThanOrEqual(rank);
              if (otherRank === rank) expect(otherKey).toBeGreaterThanOrEqual(key);
            }
          }
        });
      }),
      { numRuns: 60 },
    );
  });

  it('what is asked for is what the ring says, or else the next thing that somebody in the pool has', () => {
    fc.assert(
      fc.property(steps, rules, (given, its) => {
        run(given, its, (pool) => {
          const agents = pool.agents();
          for (const ticket of pool.waiting()) {
            const { ring: open = 0, rung = 0 } = ticket;
            const possible = rungsOf(ticket).findIndex((required, at) => at >= open && agents.some(({ levels }) => qualifies(levels, required)));
            expect(rung).toBe(possible < 0 ? open : possible);
          }
        });
      }),
      { numRuns: 40 },
    );
  });

  it('the same events make the same decisions, whatever restarts lie between', () => {
    fc.assert(
      fc.property(steps, rules, fc.infiniteStream(fc.boolean()), (given, its, restarts) => {
        // Agents come back from their rows in another order than they came in.
        const essence = ({ record, ...decision }: { record?: unknown } & object): object => decision;
        const told: object[][] = [];
        const { history } = run(given, its, (pool) => {
          if (pool.history.length > told.length) told.push(pool.decisions.map(essence));
        });
        const again = new ToldPool(its);
        history.forEach(({ event, nowMs }, n) => {
          if (restarts.next().value) again.restart();
          again.apply(event, nowMs);
          expect(again.decisions.map(essence)).toEqual(told[n]);
        });
      }),
      { numRuns: 40 },
    );
  });

  it('nothing is stranded: one agent who can do everything gets every ticket in the end', () => {
    fc.assert(
      fc.property(steps, rules, (given, its) => {
        const pool = run(given, its, () => undefined);
        for (const id of pool.agentNames) pool.place(id, { active: false });
        pool.place('omar', { skills: { billing: 9, german: 9 }, tier: 9, capacity: 1_000 });
        for (let next = offered(pool, 0); next !== undefined; next = offered(pool, 0)) pool.accept(next);
        expect(pool.tickets().map(({ assigneeId }) => assigneeId)).toEqual(pool.tickets().map(() => 'omar'));
      }),
      { numRuns: 40 },
    );
  });
});
