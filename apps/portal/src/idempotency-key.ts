/** Longer keys are no keys. */
const MAX_LENGTH = 255;

/**
 * The key that a client gave to its request: a string of structured fields (RFC 8941 §3.3.3), or, as most clients send it, the bare text.
 * Undefined when it is neither. https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
 */
export function idempotencyKey(header: string): string | undefined {
  const text = header.trim();
  const quoted = /^"((?:[ !#-[\]-~]|\\["\\])*)"$/.exec(text)?.[1]?.replace(/\\(["\\])/g, '$1');
  const key = quoted ?? (/^[!#-~]+$/.test(text) ? text : undefined);
  return key !== undefined && key.length > 0 && key.length <= MAX_LENGTH ? key : undefined;
}
