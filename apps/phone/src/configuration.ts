import { secret } from '@tierline/channel';
import { z } from 'zod';
import { e164 } from './phone-number.ts';

/** Said to callers before the tone. */
export const DEFAULT_GREETING = 'Thank you for calling. Please leave a message after the tone, and we will call you back.';

/** What belongs to one telephone number of ours: the Twilio account (or sub-account) that it is in. */
export const phoneAccount = z.strictObject({
  accountSid: z.string().regex(/^AC[0-9a-zA-Z]{32}$/, 'expected AC and 32 characters'),
  authToken: secret(z.string().min(1)),
  /** Accepted beside `authToken` while tokens are rotated; messages are sent with `authToken`. */
  secondaryAuthToken: secret(z.string().min(1)).optional(),
  /** Another address than Twilio's own. */
  apiUrl: z.url().default('https://api.twilio.com'),
  /** Twilio reads out at most 4,096 characters. */
  greeting: z.string().min(1).max(4096).default(DEFAULT_GREETING),
});
export type PhoneAccount = z.infer<typeof phoneAccount>;

const number = z.string().transform((value, context) => {
  const normalized = e164(value);
  if (normalized === undefined) context.addIssue({ code: 'custom', message: 'expected a number with its country code, such as +14155550100' });
  return normalized ?? value;
});

/** The `phone` section of tierline.yaml. */
export const phoneConfiguration = z.strictObject({
  numbers: z.array(phoneAccount.extend({ number })).superRefine((entries, context) => {
    entries.forEach((entry, index) => {
      if (entries.findIndex((other) => other.number === entry.number) < index) {
        context.addIssue({ code: 'custom', path: [index, 'number'], message: `${entry.number} stands here twice` });
      }
    });
  }),
});
export type PhoneConfiguration = z.infer<typeof phoneConfiguration>;
