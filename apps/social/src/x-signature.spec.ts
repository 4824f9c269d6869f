import { expect, it } from '@jest/globals';
import { isSigned, xSignature } from './x-signature.ts';

it('answers a challenge as openssl does', () => {
  // printf challenge | openssl dgst -sha256 -hmac consumer_secret -binary | base64
  expect(xSignature('consumer_secret', 'challenge')).toBe('sha256=sK4UwR/IcShb2OsUbPSWy6d8gFbkFu47TCu+K/nKFsE=');
});

it('knows the owner of the secret by the bytes', () => {
  const body = Buffer.from('{"text":"caf\\u00e9"}');
  const signature = xSignature('secret', body);
  expect(isSigned(body, signature, ['other', 'secret'])).toBe(true);
  expect(isSigned(body, signature, ['other'])).toBe(false);
  expect(isSigned(body, signature, [])).toBe(false);
  expect(isSigned(Buffer.from('{"text":"café"}'), signature, ['secret'])).toBe(false);
  for (const forged of [undefined, '', signature.slice(7), `${signature} `, signature.toLowerCase()]) expect(isSigned(body, forged, ['secret'])).toBe(false);
});
