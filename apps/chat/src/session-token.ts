import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';

/** A visitor who stays away longer begins anew. */
const LIFETIME_MS = 30 * 24 * 3_600_000;

const session = z.object({ site: z.string(), conversation: z.uuid(), issuedAt: z.int() });

/** What a visitor is to us: a conversation on a site. */
export type Session = z.infer<typeof session>;

/** The session as its visitor keeps it: nobody else can have made it, and it is good for one site. */
export function sessionToken(of: Session, secret: string): string {
  const body = Buffer.from(JSON.stringify(of)).toString('base64url');
  return `${body}.${signature(body, secret).toString('base64url')}`;
}

/** The session of a token. Undefined when we have not signed it, when it is of another site, or too old. */
export function readSessionToken(token: string, site: string, secret: string, now: number): Session | undefined {
  const [body, mac, ...rest] = token.split('.');
  if (body === undefined || mac === undefined || rest.length > 0) return undefined;
  const given = Buffer.from(mac, 'base64url');
  const expected = signature(body, secret);
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
  const read = session.safeParse(JSON.parse(Buffer.from(body, 'base64url').toString())).data;
  return read?.site === site && now - read.issuedAt < LIFETIME_MS ? read : undefined;
}

function signature(body: string, secret: string): Buffer {
  return createHmac('sha256', secret).update(`chat session\n${body}`).digest();
}
