import { describe, expect, it } from '@jest/globals';
import { newId, type MessageRequested } from '@tierline/events';
import { composeMail } from './compose-mail.ts';
import { mailbox } from './configuration.ts';
import { ticketOfAddress } from './message-id.ts';
import type { PreparedMail } from './thread.service.ts';

const SECRET = 'a secret of an installation, 32+';
const ticketId = newId();
const box = mailbox.parse({ address: 'support@acme.example', displayName: 'Acme Support' });
const message: MessageRequested['data'] = {
  messageId: newId(),
  ticketId,
  channel: 'email',
  accountRef: 'support',
  conversationKey: 'email:support:a@x',
  kind: 'reply',
  automatic: false,
  to: { type: 'email', value: 'ann@example.org', normalized: 'ann@example.org', display: 'Ann', verified: true },
  text: 'One <b>line</b>.\n\nTwo\nlines & more.',
  attachments: [],
};
const prepared: PreparedMail = { messageId: 'ours@acme.example', inReplyTo: 'b@x', references: ['a@x', 'b@x'], subject: 'Broken printer' };

describe('composeMail', () => {
  it('answers so that programs and we know what is answered', () => {
    const { options, envelope } = composeMail(message, box, prepared, SECRET);
    expect(options).toMatchObject({
      from: { name: 'Acme Support', address: 'support@acme.example' },
      to: { name: 'Ann', address: 'ann@example.org' },
      messageId: '<ours@acme.example>',
      inReplyTo: '<b@x>',
      references: ['<a@x>', '<b@x>'],
      text: message.text,
      html: '<p>One &lt;b&gt;line&lt;/b&gt;.</p>\n<p>Two<br>lines &amp; more.</p>',
      headers: {},
    });
    expect(ticketOfAddress((options.replyTo as { address: string }).address, SECRET)).toBe(ticketId);
    expect(envelope).toEqual({ from: 'support@acme.example', to: ['ann@example.org'] });
  });

  it.each([
    [undefined, prepared, /^Re: Broken printer \[#\w{10}\]$/],
    ['RE: Broken printer [#2345678abc]', prepared, /^RE: Broken printer \[#\w{10}\]$/],
    ['AW: Drucker', prepared, /^AW: Drucker \[#\w{10}\]$/],
    ['Your order', { messageId: 'ours@acme.example', references: [] }, /^Your order \[#\w{10}\]$/],
  ])('has the subject of what it answers: %s', (subject, given, expected) => {
    expect(composeMail({ ...message, ...(subject !== undefined && { subject }) }, box, given, SECRET).options.subject).toMatch(expected);
  });

  it('says of automatic mail that nobody wrote it, and gives it no sender to complain to', () => {
    const { options, envelope } = composeMail({ ...message, kind: 'acknowledgement', automatic: true }, box, prepared, SECRET);
    expect(options.headers).toEqual({
      'Auto-Submitted': 'auto-replied',
      'X-Auto-Response-Suppress': 'All',
      Precedence: 'bulk',
      'X-Tierline-Loop': expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    expect(envelope.from).toBe('');
  });

  it('keeps a notice to our own people out of the customer’s thread', () => {
    const { options } = composeMail(
      { ...message, kind: 'notice', automatic: true, subject: 'SLA breached' },
      box,
      { messageId: 'n@acme.example', references: [] },
      SECRET,
    );
    expect(options.subject).toBe('SLA breached');
    expect(options.replyTo).toBeUndefined();
    expect(options.headers).toMatchObject({ 'Auto-Submitted': 'auto-generated' });
  });

  it('uses no plus address where the mail server knows none', () => {
    expect(composeMail(message, { ...box, plusAddressing: false }, prepared, SECRET).options.replyTo).toBeUndefined();
  });
});
