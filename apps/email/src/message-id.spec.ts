import { describe, expect, it } from '@jest/globals';
import { newId } from '@tierline/events';
import { outboundMessageId, replyAddress, subjectToken, subjectTokens, ticketOfAddress, ticketOfMessageId, withoutDetail } from './message-id.ts';

const SECRET = 'a secret of an installation, 32+';
const TICKET = '019b8f3e-7c00-7abc-8def-0123456789ab';

describe('our Message-ID', () => {
  it('proves its ticket, is the same on every try, and another for another message', () => {
    const messageId = newId();
    const id = outboundMessageId(messageId, TICKET, 'acme.example', SECRET);
    expect(ticketOfMessageId(id, SECRET)).toBe(TICKET);
    expect(ticketOfMessageId(id.toUpperCase(), SECRET)).toBe(TICKET);
    expect(outboundMessageId(messageId, TICKET, 'acme.example', SECRET)).toBe(id);
    expect(outboundMessageId(newId(), TICKET, 'acme.example', SECRET)).not.toBe(id);
  });

  it('cannot be forged', () => {
    const id = outboundMessageId(newId(), TICKET, 'acme.example', SECRET);
    const other = TICKET.replaceAll('-', '').replace(/.$/, '0');
    for (const forged of [id.replace(TICKET.replaceAll('-', ''), other), id.replace(/.@/, '~@'), '', 'a@b', id.replace(/\.[0-9a-f]{16}@/, '@')]) {
      expect(ticketOfMessageId(forged, SECRET)).toBeUndefined();
    }
    expect(ticketOfMessageId(id, `${SECRET}!`)).toBeUndefined();
  });
});

describe('a reply address', () => {
  const address = replyAddress('support@acme.example', TICKET, SECRET)!;

  it('proves its ticket, whatever a server makes of its case', () => {
    expect(address).toMatch(/^support\+t\.[0-9a-z]{25}\.[0-9a-f]{10}@acme\.example$/);
    expect(ticketOfAddress(address, SECRET)).toBe(TICKET);
    expect(ticketOfAddress(address.toUpperCase(), SECRET)).toBe(TICKET);
    expect(withoutDetail(address)).toBe('support@acme.example');
  });

  it.each([TICKET, '00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'])('holds any ticket: %s', (ticket) => {
    expect(ticketOfAddress(replyAddress('a@b.example', ticket, SECRET)!, SECRET)).toBe(ticket);
  });

  it('cannot be forged', () => {
    for (const forged of [address.replace('+t.0', '+t.1'), address.replace(/.@/, 'x@'), 'support+t.@acme.example', 'support@acme.example']) {
      expect(ticketOfAddress(forged, SECRET)).toBeUndefined();
    }
  });

  it('is none where there is no room for it', () => {
    expect(replyAddress(`${'a'.repeat(40)}@acme.example`, TICKET, SECRET)).toBeUndefined();
  });
});

it('finds its mark in a subject', () => {
  const token = subjectToken(TICKET, SECRET);
  expect(token).toMatch(/^[2-9a-z]{10}$/);
  expect(subjectTokens(`AW: Broken [#${token.toUpperCase()}] (was: [#1234])`)).toEqual([token]);
});
