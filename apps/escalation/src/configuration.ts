import { channelName, ticketPriority } from '@tierline/events';
import { duration } from '@tierline/service';
import { z } from 'zod';

const HIGHEST_TIER = 10;

const targetMs = duration.refine((ms) => ms > 0, 'a target is longer than nothing');
/** A solved or closed ticket stops its clocks; the other states may pause them. */
const pausingStatus = z.enum(['new', 'open', 'pending', 'on_hold']);

const policy = z
  .strictObject({
    name: z.string().regex(/^[a-z][a-z0-9_-]{0,63}$/, 'expected lower-case letters, digits, - and _, beginning with a letter'),
    /** Which tickets: each field that is given has to match, `labels` by any of them. Without fields, all. */
    match: z
      .strictObject({
        priorities: z.array(ticketPriority).min(1).optional(),
        channels: z.array(channelName).min(1).optional(),
        labels: z.array(z.string().min(1)).min(1).optional(),
        brands: z.array(z.string().min(1)).min(1).optional(),
      })
      .default({}),
    firstResponse: targetMs.optional(),
    resolution: targetMs.optional(),
    /** Percent of the target. */
    warnAt: z.number().gt(0).lt(100).default(80),
    /** The ticket states in which a clock stands still. */
    pauseOn: z
      .strictObject({
        first_response: z.array(pausingStatus).default([]),
        resolution: z.array(pausingStatus).default(['pending', 'on_hold']),
      })
      .prefault({}),
  })
  .refine(({ firstResponse, resolution }) => firstResponse !== undefined || resolution !== undefined, 'has neither firstResponse nor resolution');

/** The `escalation` section of tierline.yaml. */
export const escalationConfiguration = z.strictObject({
  /** In order: the first that matches a ticket is its policy. */
  policies: z
    .array(policy)
    .superRefine((policies, context) => noneTwice(policies, 'name', context))
    .default([]),
  /** The team that takes what is escalated to a tier. */
  tiers: z
    .array(z.strictObject({ tier: z.int().min(1).max(HIGHEST_TIER), team: z.string().min(1) }))
    .superRefine((tiers, context) => noneTwice(tiers, 'tier', context))
    .default([]),
});
export type EscalationConfiguration = z.infer<typeof escalationConfiguration>;

function noneTwice<Item>(items: readonly Item[], field: keyof Item & string, context: z.RefinementCtx): void {
  items.forEach((item, index) => {
    if (items.findIndex((other) => other[field] === item[field]) < index) {
      context.addIssue({ code: 'custom', path: [index, field], message: `${JSON.stringify(item[field])} stands here twice` });
    }
  });
}
