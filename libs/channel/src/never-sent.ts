/** Faults of a certificate, found before anything is written: https://nodejs.org/api/tls.html#x509-certificate-error-codes. */
const CERTIFICATE = /^(CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH|ERR_TLS_CERT_)/;

/**
 * Whether a request failed before a connection stood, so that the provider cannot have taken it and trying again is safe.
 * Anything later, a timeout above all, leaves that open.
 */
export function neverSent(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const { code, syscall, cause, errors } = error as { code?: unknown; syscall?: unknown; cause?: unknown; errors?: unknown };
  if (syscall === 'connect' || syscall === 'getaddrinfo' || (typeof code === 'string' && CERTIFICATE.test(code))) return true;
  // Where a name has several addresses, each has failed in its own way.
  if (Array.isArray(errors) && errors.length > 0) return errors.every(neverSent);
  return neverSent(cause);
}
