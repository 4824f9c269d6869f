import type { EscalationRaised } from '@tierline/events';
import type { Ticket } from './ticket.ts';
import { isDone } from './ticket-clocks.ts';

/** A support tier, and the team that takes what is escalated to it. */
export interface Tier {
  readonly tier: number;
  readonly team: string;
}

/** As much of the people as an escalation asks about. */
export interface Staff {
  readonly people: ReadonlyMap<string, { readonly managerId: string | null; readonly active: boolean }>;
  /** By team: whom most of its agents answer to. */
  readonly leads: ReadonlyMap<string, string>;
}

/** Where an escalation goes. */
export type Plan = Pick<EscalationRaised['data'], 'kind' | 'fromTier' | 'toTier' | 'tierPath' | 'team' | 'ownerId'>;

/** Why there is nowhere to go: a code for machines, a sentence for people. */
export interface Refusal {
  readonly refused: string;
  readonly why: string;
}

/** The ticket, who has it, and who owns its open hierarchical escalations already. */
export interface Situation {
  readonly ticket: Pick<Ticket, 'status' | 'tier' | 'tierPath'>;
  readonly assigneeId: string | undefined;
  readonly ownerIds: readonly string[];
}

/** To a team with more expertise: the tier or the team that is asked for, or the next tier up. */
export function planFunctional(
  situation: Situation,
  wanted: { toTier?: number | undefined; team?: string | undefined },
  tiers: readonly Tier[],
  staff: Staff,
): Plan | Refusal {
  const { ticket } = situation;
  const toTier = wanted.toTier ?? tiers.find(({ team }) => team === wanted.team)?.tier ?? nextTier(ticket.tier, tiers);
  if (toTier === undefined) return { refused: 'escalation.last_tier', why: `tier ${ticket.tier} is the last` };
  if (toTier <= ticket.tier) return { refused: 'escalation.not_higher', why: `the ticket is on tier ${ticket.tier} already` };
  const team = wanted.team ?? tiers.find(({ tier }) => tier === toTier)?.team;
  if (team === undefined) return { refused: 'escalation.unknown_tier', why: `there is no tier ${toTier}` };
  return upTo('functional', situation, toTier, team, staff);
}

/** To the next manager who does not own an escalation of this ticket yet. */
export function planHierarchical(situation: Situation, tiers: readonly Tier[], staff: Staff): Plan | Refusal {
  const ownerId = chainAbove(situation, tiers, staff).find((id) => !situation.ownerIds.includes(id));
  if (ownerId === undefined) return { refused: 'escalation.no_manager', why: 'there is no manager left who does not have it already' };
  return stays(situation, ownerId);
}

/** What a breach leads to: the next tier; at the last one, or when the work is done already, the manager hears of it. */
export function planAutomatic(situation: Situation, tiers: readonly Tier[], staff: Staff): Plan {
  const { ticket } = situation;
  const toTier = isDone(ticket) ? undefined : nextTier(ticket.tier, tiers);
  if (toTier !== undefined) return upTo('automatic', situation, toTier, tiers.find(({ tier }) => tier === toTier)!.team, staff);
  const plan = planHierarchical(situation, tiers, staff);
  return 'refused' in plan ? stays(situation, chainAbove(situation, tiers, staff).at(-1)) : plan;
}

/** Those a person answers to, the nearest first. Who has left is passed over, and a circle ends. */
export function managersAbove(agentId: string, { people }: Staff): string[] {
  const seen = new Set([agentId]);
  for (let id = people.get(agentId)?.managerId; id != null && !seen.has(id); id = people.get(id)?.managerId) seen.add(id);
  return [...seen].slice(1).filter((id) => people.get(id)?.active);
}

function nextTier(from: number, tiers: readonly Tier[]): number | undefined {
  const higher = tiers.map(({ tier }) => tier).filter((tier) => tier > from);
  return higher.length > 0 ? Math.min(...higher) : undefined;
}

function upTo(kind: 'functional' | 'automatic', { ticket }: Situation, toTier: number, team: string, staff: Staff): Plan {
  const [ownerId] = leadersOf(team, staff);
  return { kind, fromTier: ticket.tier, toTier, tierPath: [...ticket.tierPath, toTier], team, ...(ownerId !== undefined && { ownerId }) };
}

function stays({ ticket }: Situation, ownerId: string | undefined): Plan {
  return { kind: 'hierarchical', fromTier: ticket.tier, toTier: ticket.tier, tierPath: [...ticket.tierPath], ...(ownerId !== undefined && { ownerId }) };
}

/** The managers of whoever has the ticket, then those of the team of its tier. */
function chainAbove({ ticket, assigneeId }: Situation, tiers: readonly Tier[], staff: Staff): string[] {
  const team = tiers.find(({ tier }) => tier === ticket.tier)?.team;
  const chain = new Set([...(assigneeId === undefined ? [] : managersAbove(assigneeId, staff)), ...(team === undefined ? [] : leadersOf(team, staff))]);
  return [...chain].filter((id) => id !== assigneeId);
}

function leadersOf(team: string, staff: Staff): string[] {
  const lead = staff.leads.get(team);
  return lead === undefined ? [] : [lead, ...managersAbove(lead, staff)].filter((id) => staff.people.get(id)?.active);
}
