import { matcherRules, ticketPriority } from '@tierline/events';
import { z } from 'zod';

const positive = z.number().positive();
const name = z.string().min(1);

const namesNoneTwice = (skills: readonly { skill: string }[]): boolean => new Set(skills.map(({ skill }) => skill)).size === skills.length;

/** How long something takes. */
const distribution = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('exponential'), mean: positive }),
    z.strictObject({ kind: z.literal('deterministic'), value: positive }),
    z
      .strictObject({ kind: z.literal('lognormal'), mean: positive, deviation: positive })
      .describe('mean and standard deviation of the time itself, not of its logarithm'),
    z.strictObject({ kind: z.literal('empirical'), values: z.array(positive).min(1) }).describe('times that were observed; each is as likely as any other'),
  ])
  .meta({ id: 'Distribution', description: 'How long something takes, in the time unit of the specification.' });
export type Distribution = z.infer<typeof distribution>;

const arrivals = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('poisson'), rate: positive.describe('contacts per time unit') }),
    z
      .strictObject({
        kind: z.literal('scheduled'),
        steps: z
          .array(z.strictObject({ duration: positive, rate: z.number().nonnegative() }))
          .min(1)
          .refine((steps) => steps.some(({ rate }) => rate > 0), 'some step must have a rate above 0'),
      })
      .describe('a Poisson process whose rate follows the steps, again and again: a day, or a week'),
    z
      .strictObject({
        kind: z.literal('recorded'),
        times: z
          .array(z.number().nonnegative())
          .min(1)
          .refine((times) => times.every((time, index) => index === 0 || time >= times[index - 1]!), 'times must not go backwards'),
      })
      .describe('when contacts came, counted from the start; the same in every replication'),
  ])
  .meta({ id: 'Arrivals', description: 'When contacts come.' });
export type Arrivals = z.infer<typeof arrivals>;

const extent = z
  .strictObject({ contacts: z.int().positive().optional(), duration: positive.optional() })
  .refine((given) => (given.contacts === undefined) !== (given.duration === undefined), 'give either contacts or duration')
  .meta({
    id: 'Extent',
    description: 'A number of contacts, of all types together, or a time.',
    oneOf: [{ required: ['contacts'] }, { required: ['duration'] }],
  });
export type Extent = z.infer<typeof extent>;

const contactType = z
  .strictObject({
    name,
    arrivals,
    service: distribution,
    patience: distribution.optional().describe('how long a contact waits before it gives up; without it, for ever'),
    priority: ticketPriority.default('normal').describe('with the contactOrder `oldest` it counts as a longer wait, with `strict` it goes first'),
    skills: z
      .array(z.strictObject({ skill: name, minLevel: z.int().min(1).max(10).default(1) }))
      .min(1)
      .refine(namesNoneTwice, 'a skill is there twice')
      .describe('what an agent needs; the first is the one that `skill_order` goes by'),
    weight: positive.default(1).describe('how much of its agent’s capacity a contact takes'),
  })
  .meta({ id: 'ContactType' });

const agentGroup = z
  .strictObject({
    name,
    count: z.int().positive(),
    skills: z
      .array(z.strictObject({ skill: name, level: z.int().min(1).max(10).default(1) }))
      .min(1)
      .refine(namesNoneTwice, 'a skill is there twice')
      .describe('in order: the primary skill first'),
    capacity: positive.default(1).describe('how much an agent can do at once, in the unit of the weights'),
  })
  .meta({ id: 'AgentGroup' });

const room = z
  .strictObject({
    places: z.int().nonnegative(),
    counts: z
      .enum(['waiting', 'system'])
      .describe(
        '`waiting`: a contact that would have to wait is lost when as many as there are places wait already; `system`: a contact is lost when capacity and places together are taken',
      ),
  })
  .meta({ id: 'Room', description: 'How many may wait; without it, any number.' });

const rules = z
  .strictObject({
    agentOrder: matcherRules.shape.agentOrder.min(1).optional().describe('which of several free agents takes a contact: the first key decides, then the next'),
    contactOrder: matcherRules.shape.contactOrder.optional().describe('which of several waiting contacts a freed agent takes'),
    maxAge: positive.optional().describe('with `strict`, and only there: a contact that has waited this long goes before all priorities'),
  })
  .refine(({ contactOrder, maxAge }) => (contactOrder === 'strict') === (maxAge !== undefined), 'maxAge belongs to the contactOrder strict, and to no other')
  .meta({ id: 'Rules', description: 'The matcher’s own rules, as in the routing section of tierline.yaml; what is left out is as it is there.' });

/** What `tierline simulate` is asked. All times are in `timeUnit`. */
export const simulationSpec = z
  .strictObject({
    $schema: z.string().optional(),
    name: z.string().optional(),
    timeUnit: z.enum(['second', 'minute', 'hour']),
    seed: z.int().nonnegative().default(1).describe('the same seed gives the same result on any number of processors'),
    replications: z.int().min(2).default(10).describe('independent runs; the intervals come from the differences between them'),
    warmUp: extent.optional().describe('what comes before is simulated and not counted'),
    length: extent.describe('what is counted, in each replication'),
    types: z.array(contactType).min(1),
    agents: z.array(agentGroup).min(1),
    room: room.optional(),
    rules: rules.default({}),
    report: z.strictObject({ waitLe: z.array(z.number().nonnegative()).describe('waits x of which P(wait ≤ x) is asked') }).default({ waitLe: [] }),
  })
  .meta({ title: 'A question to the Tierline simulator' });
export type SimulationSpec = z.infer<typeof simulationSpec>;

/** The JSON Schema of a specification as people write it; `npm run contracts` puts it into docs/simulate/schemas. */
export function specSchema(): object {
  return z.toJSONSchema(simulationSpec, { io: 'input' });
}

/** The specification cannot be simulated; `faults` names every fault, each with its place. */
export class SpecError extends Error {
  readonly code = 'simulation.invalid';
  constructor(readonly faults: readonly string[]) {
    super(`the specification has ${faults.length} fault${faults.length === 1 ? '' : 's'}:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
  }
}

/** Checks a specification as a whole. Throws SpecError with every fault at once. */
export function readSpec(written: unknown): SimulationSpec {
  const result = simulationSpec.safeParse(written);
  const faults = (result.error?.issues ?? []).map(({ path, message }) => `${path.join('.') || '(top)'}: ${message}`);
  // By themselves, so that a fault elsewhere does not hide what is wrong between them.
  const parts = z.object({ types: z.array(contactType), agents: z.array(agentGroup) }).safeParse(written);
  if (parts.success) faults.push(...faultsBetween(parts.data));
  if (!result.success || faults.length > 0) throw new SpecError(faults);
  return result.data;
}

/** What is wrong though each part by itself is right. */
function faultsBetween({ types, agents }: Pick<SimulationSpec, 'types' | 'agents'>): string[] {
  const repeated = (list: string, names: readonly string[]): string[] =>
    names.flatMap((each, index) => (names.indexOf(each) < index ? [`${list}.${index}.name: ${each} is there already`] : []));
  return [
    ...repeated(
      'types',
      types.map((type) => type.name),
    ),
    ...repeated(
      'agents',
      agents.map((group) => group.name),
    ),
    ...types.flatMap(({ name, skills, weight }, index) => {
      const canServe = agents.some(
        (group) => group.capacity >= weight && skills.every(({ skill, minLevel }) => group.skills.some((has) => has.skill === skill && has.level >= minLevel)),
      );
      return canServe ? [] : [`types.${index}: no agent can serve ${name}`];
    }),
  ];
}
