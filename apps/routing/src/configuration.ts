import { agentKey, channelName, matcherRules, ticketPriority, TIER_SKILL, type MatcherRules } from '@tierline/events';
import { duration } from '@tierline/service';
import { z } from 'zod';
import { DEFAULT_RULES } from './match-rules.ts';

/** The pool that people work in unless the configuration gives their team another. */
const DEFAULT_POOL = 'main';

/** 90 days: longer than a ticket can be reopened, and than anybody asks why an offer went to whom. */
const KEEP_ENDED_MS = 90 * 86_400_000;

const repeated = (name: string | undefined): string => `"${name}" stands here twice`;

const name = z.string().regex(/^[a-z][a-z0-9_-]{0,63}$/, 'expected lower-case letters, digits, - and _, beginning with a letter');
const level = z.int().min(1).max(10);
const some = <S extends z.ZodType>(of: S) => z.array(of).min(1).optional();

/** Which tickets a queue takes: those that fit every condition, by any of its values. */
const queueMatch = z
  .strictObject({
    channels: some(channelName),
    accounts: some(z.string()),
    labels: some(z.string()),
    priorities: some(ticketPriority),
    /** Words or phrases in the subject or the beginning of the text, in any case. */
    words: some(z.string().trim().min(1)),
    /** Primary language tags: `de` also takes `de-AT`. */
    languages: some(z.string()),
  })
  .refine((match) => Object.keys(match).length > 0, 'expected at least one condition');
export type QueueMatch = z.infer<typeof queueMatch>;

const skillLevels = z.record(name, level);
const someTime = duration.refine((ms) => ms > 0, 'expected some time');

/** What is asked for at first, in addition to the queue's own skills, and for how long. */
const ring = z
  .strictObject({ skills: skillLevels, preferred: z.array(name).optional(), for: someTime })
  .transform(({ for: durationMs, ...rest }) => ({ ...rest, durationMs }));

const queue = z
  .strictObject({
    name,
    pool: name.default(DEFAULT_POOL),
    /** Without it the queue is the default queue: it takes what no other does. */
    match: queueMatch.optional(),
    /** The least level by skill. */
    skills: skillLevels.default({}),
    /** Skills that an agent had better have: of those who qualify, who has more of them goes first. */
    preferred: z.array(name).default([]),
    /** One after the other, each from the time at which it opens; after the last one `skills` are all that is asked for. */
    rings: z.array(ring).default([]),
    /** Capacity that a ticket takes from its agent; without it that of its channel. */
    weight: z.number().positive().optional(),
    /** How long an agent may let an offer ring. */
    offerTimeout: someTime,
  })
  .transform(({ offerTimeout, ...rest }) => ({ ...rest, offerTimeoutMs: offerTimeout }));
export type Queue = z.infer<typeof queue>;

/** What work of a channel takes of an agent, and whether only work that interrupts too holds it off: a call rings while its agent writes mail. */
const channel = z.strictObject({ weight: z.number().positive().default(1), interrupts: z.boolean().default(false) });

/** Tickets that count as waiting longer than they do. */
const boost = z.strictObject({ match: queueMatch, by: someTime }).transform(({ match, by }) => ({ match, byMs: by }));

/** How a pool's agents and tickets come together. */
const pool = z
  .strictObject({
    name,
    agentOrder: z.array(agentKey).default(DEFAULT_RULES.agentOrder),
    contactOrder: matcherRules.shape.contactOrder.default('oldest'),
    /** With `strict`: tickets that have waited for longer go before all priorities. */
    maxAge: someTime.optional(),
  })
  .superRefine(({ agentOrder, contactOrder, maxAge }, context) => {
    const fault = (path: (string | number)[], message: string): void => context.addIssue({ code: 'custom', path, message });
    if (contactOrder === 'strict' && maxAge === undefined) fault(['maxAge'], 'with "strict", tickets must come first at some age');
    if (contactOrder !== 'strict' && maxAge !== undefined) fault(['maxAge'], 'only "strict" has a maximum age');
    agentOrder.forEach((key, at) => {
      if (agentOrder.indexOf(key) < at) fault(['agentOrder', at], repeated(key));
    });
  })
  .transform(({ name, maxAge, ...rules }): { name: string; rules: MatcherRules } => ({
    name,
    rules: { ...rules, ...(maxAge !== undefined && { maxAgeMs: maxAge }) },
  }));

/** The `routing` section of tierline.yaml. Queues are asked in their order; the first that matches has the ticket. */
export const routingConfiguration = z
  .strictObject({
    defaultQueue: name,
    queues: z.array(queue).min(1),
    /** A channel that is not here weighs 1 and does not interrupt. */
    channels: z.record(channelName, channel).default({}),
    /** Each that a ticket fits adds to its age. */
    boosts: z.array(boost).default([]),
    /** How much longer a ticket counts as waiting from the first warning of one of its clocks on. */
    warnedBoost: someTime.optional(),
    /** How long ended offers, and what is known of tickets that are done, are kept. */
    keepEnded: someTime.default(KEEP_ENDED_MS),
    /** Pools with rules of their own. */
    pools: z.array(pool).default([]),
  })
  // Also when a value has a wrong shape: all faults are named at once.
  .superRefine(
    (section, context) => {
      for (const { path, message } of referenceFaults(section)) context.addIssue({ code: 'custom', path, message });
    },
    { when: () => true },
  )
  .transform(({ warnedBoost, keepEnded, ...rest }) => ({ ...rest, warnedBoostMs: warnedBoost ?? 0, keepEndedMs: keepEnded }));
export type RoutingConfiguration = z.infer<typeof routingConfiguration>;

/** Until a configuration is applied, every ticket waits for anybody. */
export const INITIAL_CONFIGURATION: RoutingConfiguration = {
  defaultQueue: 'general',
  queues: [{ name: 'general', pool: DEFAULT_POOL, skills: {}, preferred: [], rings: [], offerTimeoutMs: 30_000 }],
  channels: {},
  boosts: [],
  warnedBoostMs: 0,
  keepEndedMs: KEEP_ENDED_MS,
  pools: [],
};

/** By which rules each of the pools goes that the configuration names. */
export function rulesOfPools({ queues, pools }: RoutingConfiguration): Map<string, MatcherRules> {
  const own = new Map(pools.map(({ name, rules }) => [name, rules]));
  return new Map([...queues.map(({ pool }) => pool), ...own.keys()].map((name) => [name, own.get(name) ?? DEFAULT_RULES]));
}

const text = z.string().optional().catch(undefined);
const skillNames = z.record(z.string(), z.unknown()).catch({});
const listOf = <S extends z.ZodType>(of: S) => z.array(of).catch([]);
/** What names what, read from a section that may be wrong in any other respect. */
const references = z
  .object({
    defaultQueue: text,
    queues: listOf(
      z
        .object({
          name: text,
          pool: z.string().default(DEFAULT_POOL).catch(DEFAULT_POOL),
          match: z.unknown().optional(),
          skills: skillNames,
          rings: listOf(z.object({ skills: skillNames }).catch({ skills: {} })),
        })
        .catch({ pool: DEFAULT_POOL, match: undefined, skills: {}, rings: [] }),
    ),
    pools: listOf(z.object({ name: text }).catch({})),
  })
  .catch({ defaultQueue: undefined, queues: [], pools: [] });

interface Fault {
  path: (string | number)[];
  message: string;
}

const isRepeated = (name: string | undefined, index: number, all: readonly { name?: string | undefined }[]): boolean =>
  name !== undefined && all.findIndex((other) => other.name === name) < index;

function referenceFaults(section: unknown): Fault[] {
  const { defaultQueue, queues, pools } = references.parse(section);
  const isNamed = queues.some((queue) => queue.name === defaultQueue);
  return [
    ...(defaultQueue === undefined || isNamed ? [] : [{ path: ['defaultQueue'], message: `there is no queue "${defaultQueue}"` }]),
    ...queues.flatMap(({ name, match, skills, rings }, index) => {
      const at = (...path: (string | number)[]): Fault['path'] => ['queues', index, ...path];
      return [
        ...(isRepeated(name, index, queues) ? [{ path: at('name'), message: repeated(name) }] : []),
        ...(match === undefined && name !== undefined && name !== defaultQueue
          ? [{ path: at('match'), message: 'a queue that is not the default needs conditions' }]
          : []),
        ...(TIER_SKILL in skills ? [{ path: at('skills', TIER_SKILL), message: 'the tier comes from the ticket' }] : []),
        ...rings.flatMap((ring, number) =>
          TIER_SKILL in ring.skills ? [{ path: at('rings', number, 'skills', TIER_SKILL), message: 'the tier comes from the ticket' }] : [],
        ),
      ];
    }),
    ...pools.flatMap(({ name }, index) => [
      ...(isRepeated(name, index, pools) ? [{ path: ['pools', index, 'name'], message: repeated(name) }] : []),
      ...(name === undefined || queues.some(({ pool }) => pool === name)
        ? []
        : [{ path: ['pools', index, 'name'], message: `no queue is in the pool "${name}"` }]),
    ]),
  ];
}
