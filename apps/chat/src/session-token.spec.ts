import { expect, it } from '@jest/globals';
import { readSessionToken, sessionToken } from './session-token.ts';

const SECRET = 'a secret that is long enough for anybody';
const NOW = Date.parse('2026-03-01T10:00:00Z');
const session = { site: 'shop', conversation: '0195a000-0000-7000-8000-000000000001', issuedAt: NOW };
const token = sessionToken(session, SECRET);

it('reads what it has signed', () => {
  expect(readSessionToken(token, 'shop', SECRET, NOW)).toEqual(session);
});

it.each([
  ['another site', token, 'other', SECRET, NOW],
  ['another secret', token, 'shop', `${SECRET}!`, NOW],
  ['31 days later', token, 'shop', SECRET, NOW + 31 * 24 * 3_600_000],
  [
    'another conversation',
    `${Buffer.from(JSON.stringify({ ...session, conversation: '0195a000-0000-7000-8000-000000000002' })).toString('base64url')}.${token.split('.')[1]}`,
    'shop',
    SECRET,
    NOW,
  ],
  ['no signature', token.split('.')[0]!, 'shop', SECRET, NOW],
  ['an empty signature', `${token.split('.')[0]}.`, 'shop', SECRET, NOW],
  ['more than a token', `${token}.x`, 'shop', SECRET, NOW],
  ['nothing', '', 'shop', SECRET, NOW],
])('refuses %s', (_, given, site, secret, now) => {
  expect(readSessionToken(given, site, secret, now)).toBeUndefined();
});
