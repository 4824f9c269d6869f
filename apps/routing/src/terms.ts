import type { MatcherRules } from '@tierline/events';
import type { Eligibility, Need } from './eligibility.ts';
import { lineOf, priorityBoostMs } from './match-rules.ts';
import type { TicketTerms } from './pool-state.ts';
import { inUnits } from './ready-agents.ts';

/** Terms as the matcher works with them: the same object for the same terms. */
export interface Terms {
  readonly given: TicketTerms;
  /** In units. */
  readonly weight: number;
  readonly interrupts: boolean;
  readonly offerTimeoutMs: number;
  /** What their priority adds to the tickets' age. */
  readonly boostMs: number;
  /** What is asked for: ring by ring, then what is required without rings, then the fallback. Nothing but the lack of anybody leads from the second to the third. */
  readonly rungs: readonly Need[];
  /** The last rung to which time leads. */
  readonly lastRing: number;
  /** Where the tickets wait, by rung. */
  readonly lines: readonly number[];
}

export class KnownTerms {
  private readonly known = new Map<string, Terms>();

  constructor(
    private readonly eligibility: Eligibility,
    private readonly rules: MatcherRules,
  ) {}

  of({ queue, tier, priority, required, preferred, rings, fallback, weight, interrupts, offerTimeoutMs }: TicketTerms): Terms {
    const key = JSON.stringify([queue, tier, priority, required, preferred, rings, fallback, weight, interrupts, offerTimeoutMs]);
    const known = this.known.get(key);
    if (known) return known;
    const need = (skills: TicketTerms['required'], liked = preferred): Need =>
      this.eligibility.needOf(skills, liked ?? [], inUnits(weight), interrupts ?? false);
    const rungs = [...(rings ?? []).map((ring) => need(ring.required, ring.preferred)), need(required), ...(fallback ? [need(fallback)] : [])];
    const terms: Terms = {
      given: { queue, tier, priority, required, preferred, rings, fallback, weight, interrupts, offerTimeoutMs },
      weight: inUnits(weight),
      interrupts: interrupts ?? false,
      offerTimeoutMs,
      boostMs: priorityBoostMs(this.rules, priority),
      rungs,
      lastRing: rings?.length ?? 0,
      lines: rungs.map(({ firstLine }) => firstLine + lineOf(this.rules, priority)),
    };
    this.known.set(key, terms);
    return terms;
  }
}

/** What is asked for in a ring: what it says, or the next thing that somebody has whom the pool knows. */
export function rungFrom({ rungs }: Terms, ring: number): number {
  for (let rung = ring; rung < rungs.length; rung++) if (rungs[rung]!.servers.length > 0) return rung;
  return ring;
}
