import { createHmac, timingSafeEqual } from 'node:crypto';

/** What the owner of the consumer secret makes of these bytes: https://docs.x.com/x-api/webhooks/quickstart. Both challenges and deliveries are signed so. */
export function xSignature(consumerSecret: string, bytes: string | Buffer): string {
  return `sha256=${createHmac('sha256', consumerSecret).update(bytes).digest('base64')}`;
}

/** Whether `signature` is what the owner of one of the secrets makes of these bytes. */
export function isSigned(body: Buffer, signature: string | undefined, consumerSecrets: readonly string[]): boolean {
  const given = Buffer.from(signature ?? '');
  return consumerSecrets.some((secret) => {
    const expected = Buffer.from(xSignature(secret, body));
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
}
