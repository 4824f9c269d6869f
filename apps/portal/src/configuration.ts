import { z } from 'zod';

/** Contacts that name no account come in through this one. */
export const DEFAULT_ACCOUNT = 'portal';

/** A door of the portal: a form, a shop, another system. */
export const portalAccount = z.strictObject({
  /** What comes in here belongs to this brand. */
  brand: z.string().min(1).optional(),
});
export type PortalAccount = z.infer<typeof portalAccount>;

/** The `portal` section of tierline.yaml. */
export const portalConfiguration = z.strictObject({
  accounts: z
    .array(portalAccount.extend({ name: z.string().regex(/^[a-z][a-z0-9_-]{0,63}$/, 'expected lower-case letters, digits, - and _, beginning with a letter') }))
    .default([])
    .superRefine((accounts, context) => {
      accounts.forEach(({ name }, index) => {
        if (accounts.findIndex((other) => other.name === name) < index)
          context.addIssue({ code: 'custom', path: [index, 'name'], message: `"${name}" stands here twice` });
      });
    }),
});
export type PortalConfiguration = z.infer<typeof portalConfiguration>;
