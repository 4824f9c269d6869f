import { expect, it } from '@jest/globals';
import { authVerdict } from './auth-verdict.ts';

const OURS = ['mx.acme.example'];
const PASS = 'mx.acme.example; spf=pass smtp.mailfrom=example.org; dkim=pass header.d=example.org; dmarc=pass (p=reject) header.from=example.org';

it.each([
  ['our server’s word', [PASS], 'verified'],
  ['the topmost word of our server', [PASS.replace('dmarc=pass', 'dmarc=fail'), PASS], 'failed'],
  ['only somebody else’s word', ['mx.elsewhere.example; dmarc=pass header.from=example.org'], 'unknown'],
  ['somebody else’s above ours', ['mx.elsewhere.example; dmarc=fail', PASS], 'verified'],
  ['a word about another domain', [PASS.replace('header.from=example.org', 'header.from=evil.example')], 'unknown'],
  ['a pass inside a comment', ['mx.acme.example; dmarc=none (dmarc=pass) header.from=example.org'], 'unknown'],
  ['no DMARC', ['mx.acme.example; spf=pass; dkim=pass'], 'unknown'],
  ['our server’s name in another place', ['evil.example; x=mx.acme.example dmarc=pass'], 'unknown'],
  ['nothing', [], 'unknown'],
])('%s', (_, fields, verdict) => {
  expect(authVerdict(fields, OURS, 'ann@example.org').verdict).toBe(verdict);
});

it('believes nobody where nobody is trusted', () => {
  expect(authVerdict([PASS], [], 'ann@example.org')).toEqual({ verdict: 'unknown' });
});

it('says what was found', () => {
  expect(authVerdict([PASS], ['MX.ACME.EXAMPLE'], 'Ann@Example.org')).toEqual({
    verdict: 'verified',
    method: 'dmarc',
    details: { spf: 'pass', dkim: 'pass', dmarc: 'pass', source: 'mx.acme.example' },
  });
});
