import { describe, expect, it } from '@jest/globals';
import type { Presence, TicketPriority } from '@tierline/events';
import fc from 'fast-check';
import { ToldPool, type HeldAgent } from '../test/told-pool.ts';
import type { PoolTicket } from './pool-state.ts';
import { qualifies } from './skill-match.ts';

describe('over any history', () => {
  type Step = (pool: ToldPool) => unknown;
  const step = (name: string, run: Step): Step => Object.assign(run, { toString: () => name });
  const pick = <T>(items: T[], index: number): T | undefined => items[index % (items.length || 1)];

  // Few kinds of everything, so that they meet.
  const skills = fc.constantFrom<Record<string, number>>({}, {}, { billing: 1 }, { billing: 2 }, { billing: 1, german: 1 });
  const ticketName = fc.constantFrom('T1', 'T2', 'T3', 'T4', 'T5', 'T6', 'T7', 'T8', 'T9');
  const agentName = fc.constantFrom('ada', 'ben', 'cem', 'dora');
  const index = fc.nat({ max: 20 });
  const ticketGiven = fc.record({
    skills,
    tier: fc.constantFrom(1, 1, 1, 2),
    priority: fc.constantFrom<TicketPriority>('urgent', 'high', 'normal', 'low'),
    weight: fc.constantFrom(0.1, 0.5, 1, 2),
  });
  const agentGiven = fc.record({
    skills,
    tier: fc.constantFrom(1, 1, 2),
    capacity: fc.constantFrom(0, 0.3, 1, 2, 3),
    presence: fc.constantFrom<Presence>('available', 'available', 'available', 'away', 'offline'),
    pool: fc.constantFrom('main', 'main', 'main', 'main', 'other'),
  });
  const offered = (pool: ToldPool, n: number): PoolTicket | undefined => pick(pool.tickets().filter(({ offer }) => offer), n); // prettier-ignore

  const steps = fc.array(
    fc.oneof(
      {
        weight: 4,
        arbitrary: fc
          .tuple(ticketName, ticketGiven)
          .map(([name, given]) => step(`queue ${name} ${JSON.stringify(given)}`, (pool) => pool.ticket(name) ?? pool.queue(name, given))),
      },
      {
        weight: 4,
        arbitrary: fc.tuple(agentName, agentGiven).map(([name, given]) => step(`place ${name} ${JSON.stringify(given)}`, (pool) => pool.place(name, given))),
      },
      { weight: 4, arbitrary: index.map((n) => step(`accept ${n}`, (pool) => { const ticket = offered(pool, n); if (ticket) pool.accept(ticket.ticketId); })) }, // prettier-ignore
      { weight: 3, arbitrary: index.map((n) => step(`decline ${n}`, (pool) => { const ticket = offered(pool, n); if (ticket) pool.decline(ticket.ticketId); })) }, // prettier-ignore
      { weight: 1, arbitrary: index.map((n) => step(`expire ${n}`, (pool) => { const ticket = offered(pool, n); if (ticket) pool.expire(ticket.ticketId); })) }, // prettier-ignore
      { weight: 2, arbitrary: ticketName.map((name) => step(`withdraw ${name}`, (pool) => pool.withdraw(name))) },
      {
        weight: 1,
        arbitrary: fc
          .tuple(ticketName, ticketGiven)
          .map(([name, given]) => step(`escalate ${name} ${JSON.stringify(given)}`, (pool) => pool.ticket(name) && pool.queue(name, given, 'escalated'))),
      },
      {
        weight: 1,
        arbitrary: fc
          .tuple(ticketName, ticketGiven)
          .map(([name, given]) => step(`reprioritize ${name} ${given.priority}`, (pool) => pool.queue(name, given, 'reprioritized'))),
      },
      { weight: 2, arbitrary: fc.integer({ min: 1, max: 3_600_000 }).map((ms) => step(`wait ${ms}`, (pool) => (pool.nowMs += ms))) },
    ),
    { minLength: 20, maxLength: 60, size: 'max' },
  );

  const run = (given: Step[], check: (pool: ToldPool) => void): ToldPool => {
    const pool = new ToldPool();
    for (const take of given) {
      pool.decisions = [];
      take(pool);
      check(pool);
    }
    return pool;
  };

  const couldTake = (agent: HeldAgent, ticket: PoolTicket): boolean =>
    agent.presence === 'available' &&
    agent.responding &&
    agent.offers === 0 &&
    agent.used + ticket.weight <= agent.profile.capacity + 1e-9 &&
    qualifies(agent.levels, ticket.required);

  it('no agent is free while a ticket waits that they could take and have not declined', () => {
    fc.assert(
      fc.property(steps, (given) => {
        run(given, (pool) => {
          const agents = pool.agents();
          for (const ticket of pool.tickets().filter(({ offer, assigneeId }) => !offer && assigneeId === undefined)) {
            const free = agents.filter((agent) => couldTake(agent, ticket));
            expect(free.filter(({ id }) => !ticket.declinedBy.includes(id))).toEqual([]);
            // Who declined may rest only while somebody else might still say yes.
            if (free.length > 0) {
              const left = agents.filter((agent) => couldTake({ ...agent, offers: 0, used: 0 }, ticket) && !ticket.declinedBy.includes(agent.id));
              expect(left).not.toEqual([]);
            }
          }
        });
      }),
      { numRuns: 100 },
    );
  });

  it('a ticket has one holder, an agent one offer, and no offer exceeds capacity or skills', () => {
    fc.assert(
      fc.property(steps, (given) => {
        const holders = new Map<string, string>();
        run(given, (pool) => {
          for (const decision of pool.decisions) {
            if (decision.type === 'assigned') expect(holders.has(decision.ticketId)).toBe(false);
            if (decision.type === 'assigned') holders.set(decision.ticketId, decision.offer.agentId);
            if (decision.type === 'unassigned') expect(holders.get(decision.ticketId)).toBe(decision.agentId);
            if (decision.type === 'unassigned') holders.delete(decision.ticketId);
          }
          for (const agent of pool.agents()) {
            expect(agent.offers).toBeLessThanOrEqual(1);
            for (const decision of pool.decisions) {
              if (decision.type === 'offered' && decision.offer.agentId === agent.id)
                expect(couldTake({ ...agent, offers: 0 }, pool.ticket(decision.ticketId)!)).toBe(true);
            }
          }
          expect(pool.tickets().every(({ offer, assigneeId }) => !offer || assigneeId === undefined)).toBe(true);
        });
      }),
      { numRuns: 100 },
    );
  });

  it('nobody is overtaken but by priority: an offer takes the first in line for its agent', () => {
    const boostMs = { urgent: 7_200_000, high: 1_800_000, normal: 0, low: -1_800_000 };
    const virtualMs = ({ enqueuedAtMs, priority }: PoolTicket): number => enqueuedAtMs - boostMs[priority];
    fc.assert(
      fc.property(steps, (given) => {
        run(given, (pool) => {
          for (const decision of pool.decisions) {
            if (decision.type !== 'offered') continue;
            const agent = pool.agents().find(({ id }) => id === decision.offer.agentId)!;
            for (const other of pool.tickets().filter(({ offer, assigneeId }) => !offer && assigneeId === undefined)) {
              if (couldTake({ ...agent, offers: 0 }, other) && !other.declinedBy.includes(agent.id))
                expect(virtualMs(other)).toBeGreaterThanOrEqual(virtualMs(pool.ticket(decision.ticketId)!));
            }
          }
        });
      }),
      { numRuns: 100 },
    );
  });

  it('the same events make the same decisions, whatever restarts lie between', () => {
    fc.assert(
      fc.property(steps, fc.infiniteStream(fc.boolean()), (given, restarts) => {
        // Agents come back from their rows in another order than they came in.
        const essence = ({ record, ...decision }: { record?: unknown } & object): object => decision;
        const told: object[][] = [];
        const { history } = run(given, (pool) => {
          if (pool.history.length > told.length) told.push(pool.decisions.map(essence));
        });
        const again = new ToldPool();
        history.forEach(({ event, nowMs }, n) => {
          if (restarts.next().value) again.restart();
          again.apply(event, nowMs);
          expect(again.decisions.map(essence)).toEqual(told[n]);
        });
      }),
      { numRuns: 60 },
    );
  });

  it('nothing is stranded: one agent who can do everything gets every ticket in the end', () => {
    fc.assert(
      fc.property(steps, (given) => {
        const pool = run(given, () => undefined);
        for (const id of pool.agentNames) pool.place(id, { active: false });
        pool.place('omar', { skills: { billing: 9, german: 9 }, tier: 9, capacity: 1_000 });
        for (let next = offered(pool, 0); next; next = offered(pool, 0)) pool.accept(next.ticketId);
        expect(pool.tickets().map(({ assigneeId }) => assigneeId)).toEqual(pool.tickets().map(() => 'omar'));
      }),
      { numRuns: 60 },
    );
  });
});
