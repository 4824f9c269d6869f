import { describe, expect, it } from '@jest/globals';
import { Signed } from './signed.ts';
import { upload, visitor, type Visitor } from './visitor.ts';

const SECRET = 'a secret of this test, 32 characters or more';
const ann: Visitor = {
  site: 'shop',
  session: '0195a000-0000-7000-8000-00000000000a',
  conversation: '0195a000-0000-7000-8000-00000000000b',
  name: 'Änn',
  expiresAt: 1_000,
};
const sessions = new Signed(SECRET, 'session', visitor);

describe('a signed value', () => {
  it('comes back as it was given, until it expires', () => {
    const token = sessions.sign(ann);
    expect(token).toMatch(/^[\w.-]+$/);
    expect(sessions.open(token, 999)).toEqual(ann);
    expect(sessions.open(token, 1_000)).toBeUndefined();
  });

  it('is nothing when anything about it is changed', () => {
    const [body, mac] = sessions.sign(ann).split('.') as [string, string];
    const other = Buffer.from(JSON.stringify({ ...ann, expiresAt: 9_000 })).toString('base64url');
    for (const token of [
      '',
      '.',
      '..',
      body,
      `${body}.`,
      `.${mac}`,
      `${other}.${mac}`,
      `${body}.${mac}.`,
      `${body}.${mac}.${mac}`,
      `${body}.${mac.slice(0, -4)}`,
      `${body}.${'A'.repeat(mac.length)}`,
    ]) {
      expect(sessions.open(token, 0)).toBeUndefined();
    }
  });

  it('is nothing under another secret, for another purpose, or in another shape', () => {
    expect(new Signed(`${SECRET}!`, 'session', visitor).open(sessions.sign(ann), 0)).toBeUndefined();
    expect(new Signed(SECRET, 'upload', visitor).open(sessions.sign(ann), 0)).toBeUndefined();
    expect(new Signed(SECRET, 'session', upload).open(sessions.sign(ann), 0)).toBeUndefined();
  });
});
