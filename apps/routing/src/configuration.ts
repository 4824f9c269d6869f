import { channelName, ticketPriority, TIER_SKILL } from '@tierline/events';
import { duration } from '@tierline/service';
import { z } from 'zod';

/** The pool that people work in unless the configuration gives their team another. */
const DEFAULT_POOL = 'main';

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

const queue = z
  .strictObject({
    name,
    pool: name.default(DEFAULT_POOL),
    /** Without it the queue is the default queue: it takes what no other does. */
    match: queueMatch.optional(),
    /** The least level by skill. */
    skills: z.record(name, level).default({}),
    /** Capacity that a ticket takes from its agent. */
    weight: z.number().positive().default(1),
    /** How long an agent may let an offer ring. */
    offerTimeout: duration.refine((ms) => ms > 0, 'expected some time'),
  })
  .transform(({ offerTimeout, ...rest }) => ({ ...rest, offerTimeoutMs: offerTimeout }));
export type Queue = z.infer<typeof queue>;

/** The `routing` section of tierline.yaml. Queues are asked in their order; the first that matches has the ticket. */
export const routingConfiguration = z
  .strictObject({ defaultQueue: name, queues: z.array(queue).min(1) })
  // Also when a value has a wrong shape: all faults are named at once.
  .superRefine(
    (section, context) => {
      for (const { path, message } of referenceFaults(section)) context.addIssue({ code: 'custom', path, message });
    },
    { when: () => true },
  );
export type RoutingConfiguration = z.infer<typeof routingConfiguration>;

/** Until a configuration is applied, every ticket waits for anybody. */
export const INITIAL_CONFIGURATION: RoutingConfiguration = {
  defaultQueue: 'general',
  queues: [{ name: 'general', pool: DEFAULT_POOL, skills: {}, weight: 1, offerTimeoutMs: 30_000 }],
};

const text = z.string().optional().catch(undefined);
/** What names what, read from a section that may be wrong in any other respect. */
const references = z
  .object({
    defaultQueue: text,
    queues: z
      .array(
        z.object({ name: text, match: z.unknown().optional(), skills: z.record(z.string(), z.unknown()).catch({}) }).catch({ match: undefined, skills: {} }),
      )
      .catch([]),
  })
  .catch({ defaultQueue: undefined, queues: [] });

function referenceFaults(section: unknown): { path: (string | number)[]; message: string }[] {
  const { defaultQueue, queues } = references.parse(section);
  const isNamed = queues.some((queue) => queue.name === defaultQueue);
  return [
    ...(defaultQueue === undefined || isNamed ? [] : [{ path: ['defaultQueue'], message: `there is no queue "${defaultQueue}"` }]),
    ...queues.flatMap(({ name, match, skills }, index) => {
      if (name === undefined) return [];
      const at = (...path: string[]): (string | number)[] => ['queues', index, ...path];
      return [
        ...(queues.findIndex((other) => other.name === name) < index ? [{ path: at('name'), message: `"${name}" stands here twice` }] : []),
        ...(match === undefined && name !== defaultQueue ? [{ path: at('match'), message: 'a queue that is not the default needs conditions' }] : []),
        ...(TIER_SKILL in skills ? [{ path: at('skills', TIER_SKILL), message: 'the tier comes from the ticket' }] : []),
      ];
    }),
  ];
}
