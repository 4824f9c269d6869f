import { z } from 'zod';

/** A web site with a chat on it. */
export const chatSite = z.strictObject({
  /** Whose pages may open the chat: `https://www.example.org`. A WebSocket has no CORS, so this is what keeps other pages out. */
  origins: z.array(z.string().refine(isOrigin, 'expected an origin such as https://www.example.org')).min(1),
  /** What is said here belongs to this brand. */
  brand: z.string().min(1).optional(),
});
export type ChatSite = z.infer<typeof chatSite>;

/** The `chat` section of tierline.yaml. */
export const chatConfiguration = z.strictObject({
  sites: z
    .array(chatSite.extend({ name: z.string().regex(/^[a-z][a-z0-9_-]{0,63}$/, 'expected lower-case letters, digits, - and _, beginning with a letter') }))
    .default([])
    .superRefine((sites, context) => {
      sites.forEach(({ name }, index) => {
        if (sites.findIndex((other) => other.name === name) < index)
          context.addIssue({ code: 'custom', path: [index, 'name'], message: `"${name}" stands here twice` });
      });
    }),
});
export type ChatConfiguration = z.infer<typeof chatConfiguration>;

function isOrigin(text: string): boolean {
  try {
    return new URL(text).origin === text;
  } catch {
    return false;
  }
}
