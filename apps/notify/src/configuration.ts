import { z } from 'zod';
import { channelName } from '@tierline/events';
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

/** The section `notify` of tierline.yaml. */
export const notifyConfiguration = z.strictObject({
  /** What a customer hears when a ticket is opened, by channel. A channel that is not named says nothing. */
  acknowledgements: z.record(channelName, z.strictObject({ subject: template.optional(), text: template })).default({}),
  /** The mail account that notices to our own people are sent from. Without it they stay in the inbox. */
  noticesFrom: z.string().min(1).optional(),
});
export type NotifyConfiguration = z.infer<typeof notifyConfiguration>;
