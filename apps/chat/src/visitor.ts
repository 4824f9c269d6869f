import { z } from 'zod';

/** Somebody on a website. We know that it is the same visitor each time, not who it is. */
export const visitor = z.object({
  site: z.string(),
  session: z.uuid(),
  conversation: z.uuid(),
  /** What the visitor says about themselves. */
  name: z.string().optional(),
  email: z.string().optional(),
  /** Milliseconds since 1970. */
  expiresAt: z.int(),
});
export type Visitor = z.infer<typeof visitor>;

/** A file that a visitor has sent, and has not yet put into a message. */
export const upload = z.object({
  session: z.uuid(),
  id: z.uuid(),
  filename: z.string(),
  mediaType: z.string(),
  bytes: z.int(),
  sha256: z.string(),
  ref: z.string(),
  expiresAt: z.int(),
});
export type Upload = z.infer<typeof upload>;
