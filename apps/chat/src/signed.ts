import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { z } from 'zod';

/** Values that visitors keep for us: what comes back was made here, for this purpose, is unchanged and not too old. */
export class Signed<Value extends { expiresAt: number }> {
  private readonly key: Buffer;

  constructor(
    secret: string,
    purpose: 'session' | 'upload',
    private readonly schema: z.ZodType<Value>,
  ) {
    this.key = Buffer.from(hkdfSync('sha256', secret, '', `tierline chat ${purpose}`, 32));
  }

  sign(value: Value): string {
    const body = Buffer.from(JSON.stringify(value)).toString('base64url');
    return `${body}.${this.mac(body).toString('base64url')}`;
  }

  /** The value of a token; undefined when we have not made it, or it has expired. `now` in milliseconds since 1970. */
  open(token: string, now: number): Value | undefined {
    const [body = '', mac = '', ...more] = token.split('.');
    const given = Buffer.from(mac, 'base64url');
    const expected = this.mac(body);
    if (more.length > 0 || given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
    const value = this.schema.safeParse(JSON.parse(Buffer.from(body, 'base64url').toString())).data;
    return value && now < value.expiresAt ? value : undefined;
  }

  private mac(body: string): Buffer {
    return createHmac('sha256', this.key).update(body).digest();
  }
}
