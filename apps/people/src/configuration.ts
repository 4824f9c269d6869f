import { role, TIER_SKILL } from '@tierline/events';
import { z } from 'zod';
import { managerCycles, managerOf } from './manager-of.ts';

/** Everybody works in one pool unless the configuration says otherwise. */
const DEFAULT_POOL = 'main';
const HIGHEST_LEVEL = 10;

const name = z.string().regex(/^[a-z][a-z0-9_-]{0,63}$/, 'expected lower-case letters, digits, - and _, beginning with a letter');
const agentId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/, 'expected letters, digits and . _ @ -');
const level = z.int().min(1).max(HIGHEST_LEVEL);

/** One agent of the `people` section. */
const agentSettings = z.strictObject({
  id: agentId,
  name: z.string().min(1),
  email: z.email().optional(),
  team: name,
  /** Without it the agent answers to the lead of the team. */
  manager: agentId.optional(),
  tier: level.default(1),
  /** Level by skill. */
  skills: z.record(name, level).default({}),
  /** How much work the agent carries at once, in the units of a queue's `weight`. */
  capacity: z.number().nonnegative().default(1),
  roles: z.array(role).min(1).default(['agent']),
  /** A fixed token, for demonstrations; people are better given one by `POST /people/v1/tokens`. */
  token: z.string().min(24, 'a token has at least 24 characters').optional(),
});

/** The `people` section of tierline.yaml. */
export const peopleConfiguration = z
  .strictObject({
    skills: z.array(name).default([]),
    teams: z.array(z.strictObject({ name, pool: name.default(DEFAULT_POOL), lead: agentId.optional() })).default([]),
    agents: z.array(agentSettings).default([]),
  })
  // Also when a value has a wrong shape: all faults are named at once.
  .superRefine(
    (section, context) => {
      for (const { path, message } of referenceFaults(section)) context.addIssue({ code: 'custom', path, message });
    },
    { when: () => true },
  );
export type PeopleConfiguration = z.infer<typeof peopleConfiguration>;

const text = z.string().optional().catch(undefined);
/** What names what, read from a section that may be wrong in any other respect. */
const references = z
  .object({
    skills: z.array(text).catch([]),
    teams: z.array(z.object({ name: text, lead: text }).catch({})).catch([]),
    agents: z
      .array(z.object({ id: text, team: text, manager: text, token: text, skills: z.record(z.string(), z.unknown()).catch({}) }).catch({ skills: {} }))
      .catch([]),
  })
  .catch({ skills: [], teams: [], agents: [] });

interface Fault {
  path: (string | number)[];
  message: string;
}

function referenceFaults(section: unknown): Fault[] {
  const { skills, teams, agents } = references.parse(section);
  const faults: Fault[] = [
    ...twice(skills, (index) => ['skills', index]),
    ...twice(
      teams.map((team) => team.name),
      (index) => ['teams', index, 'name'],
    ),
    ...twice(
      agents.map((agent) => agent.id),
      (index) => ['agents', index, 'id'],
    ),
    ...twice(
      agents.map((agent) => agent.token),
      (index) => ['agents', index, 'token'],
      () => 'two agents cannot share a token',
    ),
  ];
  if (skills.includes(TIER_SKILL)) {
    faults.push({ path: ['skills', skills.indexOf(TIER_SKILL)], message: `"${TIER_SKILL}" is every agent's own; give it as the agent's tier` });
  }
  const ids = new Set(agents.map((agent) => agent.id));
  teams.forEach(({ lead }, index) => {
    if (lead !== undefined && !ids.has(lead)) faults.push({ path: ['teams', index, 'lead'], message: `there is no agent "${lead}"` });
  });
  agents.forEach((agent, index) => {
    if (agent.team !== undefined && !teams.some((team) => team.name === agent.team)) {
      faults.push({ path: ['agents', index, 'team'], message: `there is no team "${agent.team}"` });
    }
    if (agent.manager !== undefined && !ids.has(agent.manager)) {
      faults.push({ path: ['agents', index, 'manager'], message: `there is no agent "${agent.manager}"` });
    }
    for (const skill of Object.keys(agent.skills)) {
      if (!skills.includes(skill)) faults.push({ path: ['agents', index, 'skills', skill], message: `there is no skill "${skill}"` });
    }
  });
  const managers = new Map(agents.flatMap((agent) => (agent.id === undefined ? [] : [[agent.id, managerOf(agent, teams)] as const])));
  for (const cycle of managerCycles(managers)) {
    const index = agents.findIndex((agent) => agent.id === cycle[0]);
    faults.push({ path: ['agents', index, 'manager'], message: `managers form a circle: ${[...cycle, cycle[0]].join(' → ')}` });
  }
  return faults;
}

function twice(
  values: readonly (string | undefined)[],
  pathOf: (index: number) => Fault['path'],
  say = (value: string): string => `"${value}" stands here twice`,
): Fault[] {
  return values.flatMap((value, index) => (value !== undefined && values.indexOf(value) < index ? [{ path: pathOf(index), message: say(value) }] : []));
}
