import { channelName } from '@tierline/events';
import { z } from 'zod';
import { TEMPLATE_VARIABLES, unknownVariables } from './render.ts';

const template = z.string().check((context) => {
  for (const name of unknownVariables(context.value)) {
    context.issues.push({
      code: 'custom',
      input: context.value,
      message: `there is no {{${name}}}; there are ${TEMPLATE_VARIABLES.map((known) => `{{${known}}}`).join(', ')}`,
    });
  }
});
const words = z.strictObject({ subject: template.optional(), text: template });
export type Words = z.infer<typeof words>;

/** The section `notify` of tierline.yaml. */
export const notifyConfiguration = z.strictObject({
  /** What a customer hears when a ticket is opened, by channel; a brand may have words of its own. A channel that is not named says nothing. */
  acknowledgements: z.record(channelName, words.extend({ brands: z.record(z.string().min(1), words).optional() })).default({}),
  /** The mail account that notices to our own people are sent from. Without it they stay in the inbox. */
  noticesFrom: z.string().min(1).optional(),
  /** The agents who hear about a ticket that nobody owns yet. */
  unownedTo: z.array(z.string().min(1)).default([]),
});
export type NotifyConfiguration = z.infer<typeof notifyConfiguration>;

/** What to say on a channel, in the name of a brand; undefined for nothing. */
export function wordsFor({ acknowledgements }: NotifyConfiguration, channel: string, brand: string | undefined): Words | undefined {
  const ofChannel = Object.hasOwn(acknowledgements, channel) ? acknowledgements[channel]! : undefined;
  const ofBrand = brand !== undefined && ofChannel?.brands && Object.hasOwn(ofChannel.brands, brand) ? ofChannel.brands[brand] : undefined;
  return ofBrand ?? ofChannel;
}
