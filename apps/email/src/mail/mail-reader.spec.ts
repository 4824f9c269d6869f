import { afterAll, describe, expect, it } from '@jest/globals';
import { MailReader } from './mail-reader.service.ts';

const reader = new MailReader();
afterAll(() => reader.stop());

const HEADER = 'From: Ann <ann@example.org>\r\nTo: support@acme.example\r\nSubject: Bad mail\r\n';
const mail = (rest: string): Buffer => Buffer.from(HEADER + rest, 'latin1');

describe('MailReader', () => {
  it('reads many mails at once, each its own', async () => {
    const mails = await Promise.all(Array.from({ length: 60 }, (_, n) => reader.read(mail(`\r\nbody ${n}`))));
    expect(mails.map(({ text }) => text)).toEqual(Array.from({ length: 60 }, (_, n) => `body ${n}`));
  });

  it.each([
    ['20,000 parts', `Content-Type: multipart/mixed; boundary=b\r\n\r\n${'--b\r\n\r\nx\r\n'.repeat(20_000)}--b--\r\n`],
    [
      '2,000 parts, each in another',
      `${Array.from({ length: 2_000 }, (_, n) => `Content-Type: multipart/mixed; boundary=b${n}\r\n\r\n--b${n}\r\n`).join('')}\r\nx`,
    ],
    ['a header of 2 MB', `X-Junk: ${'a '.repeat(1_000_000)}\r\n\r\nbody`],
    ['a megabyte of references', `References: ${'<a@b> '.repeat(200_000)}\r\n\r\nbody`],
  ])('reads the header of a mail with %s', async (_, rest) => {
    expect(await reader.read(mail(rest))).toMatchObject({
      unparsable: true,
      from: { address: 'ann@example.org', name: 'Ann' },
      subject: 'Bad mail',
      attachments: [],
    });
  });

  it.each([
    ['nothing', '', {}],
    ['nothing but NUL', '\0\0\0', {}],
    ['words', 'hello, is this a mail?', { text: 'hello, is this a mail?' }],
    ['a picture', '\x89PNG\r\n\x1a\n\0\0\0\rIHDR', {}],
  ])('is not misled by %s', async (_, bytes, expected) => {
    expect(await reader.read(Buffer.from(bytes, 'latin1'))).toMatchObject({ unparsable: true, ...expected });
  });

  it.each([
    ['a wrong transfer encoding', 'Content-Transfer-Encoding: base64\r\n\r\nnot base64 at all!'],
    ['an unknown transfer encoding', 'Content-Transfer-Encoding: x-magic\r\n\r\nbody'],
    ['a multipart without a boundary', 'Content-Type: multipart/mixed\r\n\r\nbody'],
    ['a multipart whose boundary never comes', 'Content-Type: multipart/mixed; boundary=never\r\n\r\nbody'],
    ['a boundary of 10,000 characters', `Content-Type: multipart/mixed; boundary="${'b'.repeat(10_000)}"\r\n\r\nbody`],
    ['half a header', 'Content-Type: text/html; charset="'],
  ])('takes %s as it comes', async (_, rest) => {
    expect(await reader.read(mail(rest))).toMatchObject({ unparsable: false, subject: 'Bad mail' });
  });

  it('has limits for time and memory, and lets one mail that exceeds them spoil no other', async () => {
    const strict = new MailReader({ timeMs: 3_000, memoryMb: 48, threads: 1 });
    const bomb = mail(`Content-Type: text/html\r\n\r\n${'<div>'.repeat(200_000)}`);
    const [before, bad, after] = await Promise.all([strict.read(mail('\r\none')), strict.read(bomb), strict.read(mail('\r\ntwo'))]);
    await strict.stop();
    expect([before.text, after.text]).toEqual(['one', 'two']);
    expect(bad).toMatchObject({ unparsable: true, subject: 'Bad mail' });
  });
});
