import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Matcher } from '../../apps/routing/src/matcher.ts';
import { skillLevels, qualifies } from '../../apps/routing/src/skill-match.ts';
import { median, medianOf, percentile, rate, type Bench, type Benchmark, type Figure } from './figure.ts';

const AGENTS = 10_000;
const SKILLS = 100;
const PROFILES = 200;
const SKILLS_OF_PROFILE = 24;
const NEEDS = 4_000;
const WAITING = 1_000_000;
const DECISIONS = 400_000;
const BARE_DECISIONS = 100;
const ARRIVALS_EVERY_MS = 10;
const OFFER_MS = 20_000;

/** Small numbers that look random and are the same in every run: xorshift, 32 bits. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

type Profile = Parameters<Matcher['place']>[0];
type Given = Parameters<Matcher['terms']>[0];

/** A pool as large as the goal asks for: needs of one to three skills, of which each profile serves about two hundred. */
function world(): { agents: Profile[]; needs: Given['required'][] } {
  const random = numbers(7);
  const some = (count: number): number[] => {
    const chosen = new Set<number>();
    while (chosen.size < count) chosen.add(random(SKILLS));
    return [...chosen].sort((a, b) => a - b);
  };
  const profiles = Array.from({ length: PROFILES }, () => some(SKILLS_OF_PROFILE).map((skill) => ({ skill: `skill-${skill}`, level: 1 + random(10) })));
  const agents = Array.from({ length: AGENTS }, (_, n) => {
    const agentId = `agent-${n}`;
    return { agentId, name: agentId, team: 'care', pool: 'main', skills: profiles[n % PROFILES]!, capacity: 1, active: true };
  });
  const needs = new Map<string, Given['required']>();
  while (needs.size < NEEDS) {
    const required = some(needs.size % 40 === 0 ? 1 : 2 + random(2)).map((skill) => ({ skill: `skill-${skill}`, minLevel: 1 + random(3) }));
    needs.set(JSON.stringify(required), required);
  }
  return { agents, needs: [...needs.values()] };
}

/** As an id is when it has been read: flat text. */
const idOf = (n: number): string => Buffer.from(`00000000-0000-4000-8000-${String(n).padStart(12, '0')}`).toString('latin1');

/** A pool in which everybody is busy and a million tickets wait. */
function fullPool({ agents, needs }: ReturnType<typeof world>, offerTimeoutMs: number): Pool {
  const matcher = new Matcher();
  const terms = needs.map((required) => matcher.terms({ queue: 'general', tier: 1, priority: 'normal', required, weight: 1, offerTimeoutMs }));
  const before = memory();
  for (let n = 0; n < WAITING; n++) matcher.enqueue(idOf(n), terms[n % NEEDS]!, n, n);
  const bytes = (memory() - before) / WAITING;
  const busy: string[] = [];
  let nowMs = WAITING;
  for (const agent of agents) {
    for (const decision of matcher.place(agent, 'available', true, nowMs)) {
      if (decision.type === 'offered') matcher.answer(decision.ticketId, decision.offer.offerId, 'accepted', nowMs);
      if (decision.type === 'offered' || decision.type === 'assigned') busy.push(decision.ticketId);
    }
  }
  return { matcher, terms, busy, bytes, next: WAITING, nowMs: nowMs++ };
}

interface Pool {
  readonly matcher: Matcher;
  readonly terms: ReturnType<Matcher['terms']>[];
  readonly busy: string[];
  readonly bytes: number;
  next: number;
  nowMs: number;
}

function memory(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** One ticket comes, one is done, and its agent takes the next: the pool stays as full as it was. */
function decide(pool: Pool, random: (below: number) => number, ids: readonly string[]): void {
  const { matcher, terms, busy } = pool;
  const nowMs = (pool.nowMs += ARRIVALS_EVERY_MS);
  matcher.enqueue(ids[pool.next % ids.length]!, terms[random(NEEDS)]!, nowMs, nowMs);
  pool.next++;
  const at = random(busy.length);
  for (const decision of matcher.withdraw(busy[at]!, 'solved', nowMs)) {
    if (decision.type === 'offered') matcher.answer(decision.ticketId, decision.offer.offerId, 'accepted', nowMs);
    if (decision.type === 'offered' || decision.type === 'assigned') busy[at] = decision.ticketId;
  }
}

/** The same, from a list of what waits: whoever is freed reads it from end to end. */
function bareLoop({ agents, needs }: ReturnType<typeof world>): number {
  const served = agents.slice(0, PROFILES).map((agent) => {
    const levels = skillLevels(agent);
    return Uint8Array.from(needs, (required) => Number(qualifies(levels, required)));
  });
  const waiting = Array.from({ length: WAITING }, (_, n) => ({ need: n % NEEDS, enqueuedAtMs: n }));
  const start = performance.now();
  for (let n = 0; n < BARE_DECISIONS; n++) {
    const can = served[n % PROFILES]!;
    let oldest = -1;
    for (let at = 0; at < waiting.length; at++) {
      if (can[waiting[at]!.need] === 1 && (oldest < 0 || waiting[at]!.enqueuedAtMs < waiting[oldest]!.enqueuedAtMs)) oldest = at;
    }
    waiting[oldest] = { need: n % NEEDS, enqueuedAtMs: WAITING + n };
  }
  return (BARE_DECISIONS / (performance.now() - start)) * 1000;
}

/** The matcher alone, on one core: 10,000 agents of 200 profiles, 4,000 needs, 1 M waiting. */
export const matcher: Benchmark = async (bench) => {
  const given = world();
  const bare = await medianOf(bench, 'matcher, bare loop', () => Promise.resolve(bareLoop(given)));
  return [
    ...(await measure(bench, given, 0, 'decisions, 1 M waiting', bare)),
    ...(await measure(bench, given, OFFER_MS, 'offers with their records, 1 M waiting', bare)).slice(0, 1),
  ];
};

async function measure(bench: Bench, given: ReturnType<typeof world>, offerTimeoutMs: number, name: string, bare: number): Promise<Figure[]> {
  const bytes: number[] = [];
  const p99s: number[] = [];
  const perSecond = await medianOf(bench, name, () => {
    const pool = fullPool(given, offerTimeoutMs);
    bytes.push(pool.bytes);
    const random = numbers(11);
    const ids = Array.from({ length: DECISIONS }, (_, n) => idOf(WAITING + n));
    const half = DECISIONS / 2;
    const start = performance.now();
    for (let n = 0; n < half; n++) decide(pool, random, ids);
    const value = (half / (performance.now() - start)) * 1000;
    const each = Array.from({ length: half }, () => {
      const from = performance.now();
      decide(pool, random, ids);
      return performance.now() - from;
    });
    p99s.push(
      percentile(
        each.sort((a, b) => a - b),
        0.99,
      ),
    );
    return Promise.resolve(value);
  });
  const p99Us = 1000 * median(p99s);
  return [
    rate(`matcher: ${name}`, perSecond, 400_000, bare, { p99Ms: p99Us / 1000 }),
    { name: 'matcher: bytes a waiting ticket', value: Math.round(median(bytes)), unit: 'B', goal: '≤ 200 B', met: median(bytes) <= 200 },
    { name: 'matcher: one decision, p99', value: Number(p99Us.toFixed(1)), unit: 'µs', goal: '≤ 50 µs', met: p99Us <= 50 },
  ];
}
