import type { Lines } from './lines.ts';
import { fits, type Agent } from './ready-agents.ts';

/** What the choice of a ticket looks at. */
export interface WaitingTickets {
  readonly lines: Lines;
  readonly ids: readonly (string | undefined)[];
  /** The tickets that somebody has declined, and who. */
  readonly declinedBy: ReadonlyMap<number, readonly string[]>;
}

/**
 * Answers which waiting ticket a freed agent takes, or -1: the first of the line that comes first for them. What counts as waiting since before `overdueMs` goes ahead
 * of all ranks.
 */
export function pickTicket(agent: Agent, { lines, ids, declinedBy }: WaitingTickets, overdueMs: number): number {
  const { heads } = lines;
  const { lines: served, lineRanks } = agent.skills;
  const isWanted = (ticket: number): boolean => !declinedBy.get(ticket)?.includes(agent.profile.agentId);
  let best = -1;
  let bestRank = Number.POSITIVE_INFINITY;
  let bestKey = Number.POSITIVE_INFINITY;
  for (let at = 0; at < served.length; at++) {
    const line = served[at]!;
    let key = line < heads.length ? heads[line]! : Number.POSITIVE_INFINITY;
    if (key === Number.POSITIVE_INFINITY) continue;
    let rank = key <= overdueMs ? -1 : lineRanks[at]!;
    if (rank > bestRank || (rank === bestRank && key > bestKey) || !fits(lines.needOf(line), agent)) continue;
    const tickets = lines.ticketsOf(line);
    const ticket = declinedBy.size === 0 ? tickets.top : tickets.first(isWanted);
    if (ticket < 0) continue;
    key = tickets.keyOf(ticket);
    rank = key <= overdueMs ? -1 : lineRanks[at]!;
    if (rank < bestRank || (rank === bestRank && (key < bestKey || (key === bestKey && ids[ticket]! < ids[best]!)))) {
      best = ticket;
      bestRank = rank;
      bestKey = key;
    }
  }
  return best;
}
