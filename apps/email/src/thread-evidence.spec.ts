import { describe, expect, it } from '@jest/globals';
import { newId } from '@tierline/events';
import { outboundMessageId, replyAddress } from './message-id.ts';
import { threadEvidence } from './thread-evidence.ts';

const SECRET = 'a secret of an installation, 32+';
const [ONE, OTHER] = [newId(), newId()];
const nothing = { recipients: [], inReplyTo: [], references: [] };
const evidence = (mail: Partial<Parameters<typeof threadEvidence>[0]>) => threadEvidence({ ...nothing, ...mail }, SECRET);

describe('threadEvidence', () => {
  it('is nothing for a mail that says nothing', () => {
    expect(evidence({})).toEqual({ parents: [], subjectTokens: [] });
    expect(evidence({ subject: 'Re: Your ticket #4711' })).toEqual({ parents: [], subjectTokens: [] });
  });

  it('names what is answered, the nearest first', () => {
    expect(evidence({ inReplyTo: ['c'], references: ['a', 'b', 'c'] }).parents).toEqual(['c', 'b', 'a']);
  });

  it('believes a reply address of ours before a Message-ID of ours', () => {
    const address = replyAddress('support@acme.example', ONE, SECRET)!;
    const id = outboundMessageId(newId(), OTHER, 'acme.example', SECRET);
    expect(evidence({ recipients: ['boss@acme.example', address], references: [id] }).ticketId).toBe(ONE);
    expect(evidence({ references: ['x@y', id, 'z@y'] }).ticketId).toBe(OTHER);
  });

  it('believes nothing that somebody else has signed', () => {
    const forged = {
      recipients: [replyAddress('support@acme.example', ONE, 'another')!],
      references: [outboundMessageId(newId(), ONE, 'acme.example', 'another')],
    };
    expect(evidence(forged).ticketId).toBeUndefined();
  });

  it('takes a delivery report for an answer to the mail it is about', () => {
    const originalId = outboundMessageId(newId(), ONE, 'acme.example', SECRET);
    expect(evidence({ deliveryReport: { recipients: [], originalId } })).toMatchObject({ ticketId: ONE, parents: [originalId] });
  });

  it('keeps the nearest of endless references, and the first', () => {
    const references = Array.from({ length: 200 }, (_, n) => `${n}`);
    const { parents } = evidence({ references });
    expect([parents.length, parents[0], parents.at(-1)]).toEqual([100, '199', '0']);
  });
});
