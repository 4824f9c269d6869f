import { expect, it } from '@jest/globals';
import { emailConfiguration } from './configuration.ts';

it('fills in what is usual', () => {
  const { mailboxes } = emailConfiguration.parse({
    mailboxes: [{ address: 'Support@Acme.example', imap: { host: 'imap.acme.example', user: 'u', password: 'p' }, smtp: { host: 'smtp.acme.example' } }],
  });
  expect(mailboxes).toEqual([
    {
      address: 'support@acme.example',
      aliases: [],
      plusAddressing: true,
      trustedAuthservIds: [],
      imap: { host: 'imap.acme.example', port: 993, user: 'u', password: 'p', tls: 'implicit', folder: 'INBOX' },
      smtp: { host: 'smtp.acme.example', port: 465, tls: 'implicit' },
    },
  ]);
});

it('names every fault at once', () => {
  const result = emailConfiguration.safeParse({
    mailboxes: [
      { address: 'a@acme.example', ref: 'main' },
      { address: 'b@acme.example', ref: 'main', aliases: ['a@acme.example'] },
      { address: 'b@acme.example' },
    ],
  });
  expect(result.error!.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)).toEqual([
    'mailboxes.1.ref: ref main stands here twice',
    'mailboxes.1.aliases.0: a@acme.example stands here twice',
    'mailboxes.2.address: b@acme.example stands here twice',
  ]);
  expect(emailConfiguration.safeParse({ mailboxes: [{ address: 'nobody', imap: { host: 'x' }, colour: 'red' }] }).error!.issues.length).toBeGreaterThan(3);
});
