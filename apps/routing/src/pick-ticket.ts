import type { Eligibility, Need } from './eligibility.ts';
import type { Lines } from './lines.ts';
import { fits, type Agent } from './ready-agents.ts';
import type { Tickets } from './tickets.ts';

/** What the choice of a ticket looks at. */
export interface WaitingTickets {
  readonly lines: Lines;
  readonly tickets: Tickets;
  readonly eligibility: Eligibility;
  readonly needOfLine: (line: number) => Need;
}

/**
 * Answers which waiting ticket a freed agent takes, or -1: the first of the line that comes first for them. What counts as waiting since before `overdueMs` goes ahead
 * of all ranks.
 */
export function pickTicket(agent: Agent, { lines, tickets, eligibility, needOfLine }: WaitingTickets, overdueMs: number): number {
  const heads = lines.headsOf(eligibility.needs.length);
  const { lines: served, lineRanks, isRanked } = agent.skills;
  const { declinedBy, virtualMs } = tickets;
  const { agentId } = agent.profile;
  const isWanted = declinedBy.size === 0 ? undefined : (ticket: number): boolean => !declinedBy.get(ticket)?.includes(agentId);
  const fitsAll = agent.used + eligibility.maxWeight <= agent.capacity;
  if (!isRanked && !isWanted && fitsAll) return firstOf(served, heads, lines, tickets);
  let best = -1;
  let bestRank = Number.POSITIVE_INFINITY;
  let bestKey = Number.POSITIVE_INFINITY;
  for (let at = 0; at < served.length; at++) {
    const line = served[at]!;
    const head = heads[line]!;
    // Most lines end here. Only strict rules, which rank them, know a greatest age.
    if (head === Number.POSITIVE_INFINITY || (head > bestKey && !isRanked)) continue;
    const rank = head <= overdueMs ? -1 : lineRanks[at]!;
    if (rank > bestRank || (rank === bestRank && head > bestKey)) continue;
    if (!fitsAll && !fits(needOfLine(line), agent)) continue;
    const ticket = isWanted ? lines.firstWanted(line, isWanted) : lines.first(line);
    if (ticket < 0) continue;
    // A ticket lies far from any other in memory: it is only looked at when its line does not tell.
    const key = isWanted ? virtualMs[ticket]! : head;
    const itsRank = key <= overdueMs ? -1 : lineRanks[at]!;
    if (itsRank > bestRank || (itsRank === bestRank && (key > bestKey || (key === bestKey && !tickets.comesBefore(ticket, best))))) continue;
    best = ticket;
    bestRank = itsRank;
    bestKey = key;
  }
  return best;
}

/** The first ticket of these lines when nothing but their order decides, as it mostly does. */
function firstOf(served: readonly number[], heads: Float64Array, lines: Lines, tickets: Tickets): number {
  let best = -1;
  let bestKey = Number.POSITIVE_INFINITY;
  for (let at = 0; at < served.length; at++) {
    const line = served[at]!;
    const head = heads[line]!;
    if (head > bestKey || head === Number.POSITIVE_INFINITY) continue;
    if (head === bestKey && !tickets.comesBefore(lines.first(line), lines.first(best))) continue;
    best = line;
    bestKey = head;
  }
  return best < 0 ? -1 : lines.first(best);
}
