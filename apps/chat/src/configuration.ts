import { z } from 'zod';

/** A website whose visitors chat with us. */
export const chatSite = z.strictObject({
  /** The pages that may chat: what their browser says in `Origin`. */
  origins: z.array(z.string().refine(isOrigin, 'expected an origin, such as https://shop.example')).min(1),
  /** What visitors know the site by. */
  name: z.string().min(1).max(100).optional(),
});
export type ChatSite = z.infer<typeof chatSite>;

/** The `chat` section of tierline.yaml. */
export const chatConfiguration = z.strictObject({
  sites: z
    .array(chatSite.extend({ ref: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, 'expected lower-case letters, digits, - and _') }))
    .default([])
    .superRefine((sites, context) => {
      sites.forEach(({ ref }, index) => {
        if (sites.findIndex((other) => other.ref === ref) < index)
          context.addIssue({ code: 'custom', path: [index, 'ref'], message: `"${ref}" stands here twice` });
      });
    }),
});
export type ChatConfiguration = z.infer<typeof chatConfiguration>;

function isOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}
