import type { Contact } from '@tierline/events';

const METHOD = /\b(spf|dkim|dmarc)\s*=\s*([a-z]+)/gi;
const HEADER_FROM = /\bheader\.from\s*=\s*"?(?:[^\s;"@]*@)?([^\s;"]+)/i;

/**
 * Whether the sender is who they say they are, by the word of our own mail server (RFC 8601). Anybody can write the field:
 * only the topmost that carries a trusted server's name counts, and only what it says of the sender's own domain.
 */
export function authVerdict(fields: readonly string[], trustedAuthservIds: readonly string[], fromAddress: string | undefined): Contact['auth'] {
  const trusted = fields.find((field) => trustedAuthservIds.some((id) => id.toLowerCase() === authservId(field)));
  if (trusted === undefined) return { verdict: 'unknown' };
  // Comments may hold anything (RFC 8601 §2.2).
  const text = trusted.replace(/\([^()]*\)/g, ' ');
  const results = Object.fromEntries([...text.matchAll(METHOD)].map((match) => [match[1]!.toLowerCase(), match[2]!.toLowerCase()]));
  const details = { ...results, source: authservId(trusted) };
  const alignedDomain = HEADER_FROM.exec(text)?.[1]?.toLowerCase();
  const isTheirs = alignedDomain === undefined || alignedDomain === fromAddress?.split('@').at(-1)?.toLowerCase();
  if (results['dmarc'] === 'pass' && isTheirs) return { verdict: 'verified', method: 'dmarc', details };
  return { verdict: results['dmarc'] === 'fail' ? 'failed' : 'unknown', method: 'dmarc', details };
}

function authservId(field: string): string {
  return /^\s*([^\s;]+)/.exec(field)?.[1]?.toLowerCase() ?? '';
}
