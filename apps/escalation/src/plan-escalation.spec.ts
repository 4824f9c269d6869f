import { describe, expect, it } from '@jest/globals';
import { managersAbove, planAutomatic, planFunctional, planHierarchical, type Situation, type Staff, type Tier } from './plan-escalation.ts';
import type { Ticket } from './ticket.ts';

// ann → lea → dan;  bob (left) → dan;  eva → max → eva
const staff: Staff = {
  people: new Map([
    ['ann', { managerId: 'lea', active: true }],
    ['lea', { managerId: 'dan', active: true }],
    ['bob', { managerId: 'dan', active: false }],
    ['kim', { managerId: 'bob', active: true }],
    ['dan', { managerId: null, active: true }],
    ['eva', { managerId: 'max', active: true }],
    ['max', { managerId: 'eva', active: true }],
  ]),
  leads: new Map([
    ['care', 'lea'],
    ['experts', 'max'],
    ['ghosts', 'bob'],
  ]),
};
const tiers: Tier[] = [
  { tier: 3, team: 'ghosts' },
  { tier: 1, team: 'care' },
  { tier: 2, team: 'experts' },
];
const onTier = (tier: number, rest: Partial<Situation> = {}, status: Ticket['status'] = 'open'): Situation => ({
  ticket: { status, tier, tierPath: [tier] },
  assigneeId: undefined,
  ownerIds: [],
  ...rest,
});

describe('managers', () => {
  it.each([
    ['ann', ['lea', 'dan']],
    ['kim', ['dan']],
    ['eva', ['max']],
    ['dan', []],
    ['nobody', []],
  ])('above %s are %j', (agentId, managers) => {
    expect(managersAbove(agentId, staff)).toEqual(managers);
  });
});

describe('a functional escalation', () => {
  it('goes to the next tier, its team, and the lead of that team', () => {
    expect(planFunctional(onTier(1), {}, tiers, staff)).toEqual({
      kind: 'functional',
      fromTier: 1,
      toTier: 2,
      tierPath: [1, 2],
      team: 'experts',
      ownerId: 'max',
    });
  });

  it.each([
    ['the tier that is asked for', { toTier: 3 }, { toTier: 3, team: 'ghosts' }],
    ['the tier of the team that is asked for', { team: 'ghosts' }, { toTier: 3, team: 'ghosts' }],
    ['the next tier, for a team that is on none', { team: 'lawyers' }, { toTier: 2, team: 'lawyers' }],
    ['a team and a tier', { toTier: 3, team: 'experts' }, { toTier: 3, team: 'experts', ownerId: 'max' }],
  ])('goes to %s', (_, wanted, plan) => {
    expect(planFunctional(onTier(1), wanted, tiers, staff)).toMatchObject(plan);
  });

  it('answers to the manager of a lead who has left', () => {
    expect(planFunctional(onTier(1), { toTier: 3 }, tiers, staff)).toMatchObject({ ownerId: 'dan' });
  });

  it.each([
    ['escalation.last_tier', 3, {}],
    ['escalation.not_higher', 2, { toTier: 2 }],
    ['escalation.not_higher', 2, { team: 'care' }],
    ['escalation.unknown_tier', 2, { toTier: 7 }],
  ])('is refused with %s from tier %d to %j', (refused, tier, wanted) => {
    expect(planFunctional(onTier(tier), wanted, tiers, staff)).toMatchObject({ refused });
  });
});

describe('a hierarchical escalation', () => {
  it.each<[string, string, Partial<Situation>]>([
    ['the manager of whoever has the ticket', 'lea', { assigneeId: 'ann' }],
    ['the next one up when that one has it already', 'dan', { assigneeId: 'ann', ownerIds: ['lea'] }],
    ['the lead of the team of the tier when nobody has the ticket', 'lea', {}],
    ['whoever the lead answers to when the lead has the ticket', 'dan', { assigneeId: 'lea' }],
  ])('goes to %s', (_, ownerId, rest) => {
    expect(planHierarchical(onTier(1, rest), tiers, staff)).toEqual({ kind: 'hierarchical', fromTier: 1, toTier: 1, tierPath: [1], ownerId });
  });

  it('is refused when nobody is left', () => {
    expect(planHierarchical(onTier(1, { ownerIds: ['lea', 'dan'] }), tiers, staff)).toMatchObject({ refused: 'escalation.no_manager' });
  });
});

describe('an automatic escalation', () => {
  it('goes up one tier', () => {
    expect(planAutomatic(onTier(1), tiers, staff)).toMatchObject({ kind: 'automatic', fromTier: 1, toTier: 2, tierPath: [1, 2], team: 'experts' });
  });

  it('goes to the manager from the last tier', () => {
    expect(planAutomatic(onTier(3, { assigneeId: 'ann' }), tiers, staff)).toMatchObject({ kind: 'hierarchical', toTier: 3, ownerId: 'lea' });
  });

  it('moves no ticket that is done', () => {
    expect(planAutomatic(onTier(1, { assigneeId: 'ann' }, 'solved'), tiers, staff)).toMatchObject({ kind: 'hierarchical', toTier: 1, ownerId: 'lea' });
  });

  it('stays with the highest manager when all have it', () => {
    expect(planAutomatic(onTier(3, { assigneeId: 'ann', ownerIds: ['lea', 'dan'] }), tiers, staff)).toMatchObject({ ownerId: 'dan' });
  });

  it('is raised though there is nobody to own it', () => {
    expect(planAutomatic(onTier(1), [], { people: new Map(), leads: new Map() })).toEqual({ kind: 'hierarchical', fromTier: 1, toTier: 1, tierPath: [1] });
  });
});
