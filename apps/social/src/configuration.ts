import { secret } from '@tierline/channel';
import { z } from 'zod';

/** What belongs to one account of ours on X: the keys of the app that it has let in. */
export const xAccount = z.strictObject({
  /** The name people write to, without @. It may change; the account's id does not. */
  handle: z.string().regex(/^\w{1,15}$/, 'expected a name of at most 15 letters, digits and underscores, without @'),
  /** API key and secret of the app, also called consumer key and secret. The secret signs webhooks. */
  appKey: z.string().min(1),
  consumerSecret: secret(z.string().min(1)),
  /** What the account has given the app: OAuth 1.0a access token and secret. */
  accessToken: secret(z.string().min(1)),
  accessSecret: secret(z.string().min(1)),
  /** Another address than X's own. */
  apiUrl: z.url().default('https://api.x.com'),
});
export type XAccount = z.infer<typeof xAccount>;

/** The `social` section of tierline.yaml. */
export const socialConfiguration = z.strictObject({
  x: z.array(xAccount.extend({ account: z.string().regex(/^\d{1,20}$/, 'expected the numeric id of the account') })).superRefine((entries, context) => {
    entries.forEach((entry, index) => {
      if (entries.findIndex((other) => other.account === entry.account) < index) {
        context.addIssue({ code: 'custom', path: [index, 'account'], message: `${entry.account} stands here twice` });
      }
      // X's challenge does not say which app asks.
      if (entry.appKey !== entries[0]!.appKey) {
        context.addIssue({ code: 'custom', path: [index, 'appKey'], message: 'one webhook serves one app: expected the same key for all accounts' });
      }
    });
  }),
});
export type SocialConfiguration = z.infer<typeof socialConfiguration>;
