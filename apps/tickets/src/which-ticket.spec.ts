import { describe, expect, it } from '@jest/globals';
import { whichTicket, type Candidate, type Evidence } from './which-ticket.ts';

const DAY_MS = 86_400_000;
const now = new Date('2025-06-10T12:00:00Z');
const daysAgo = (days: number): Date => new Date(now.getTime() - days * DAY_MS);

const ticket = (id: string, given: Partial<Candidate> = {}): Candidate => ({ id, status: 'open', solvedAt: null, participants: ['ann'], ...given });

const open = ticket('open');
const solved = ticket('solved', { status: 'solved', solvedAt: daysAgo(6.9) });
const longSolved = ticket('long-solved', { status: 'solved', solvedAt: daysAgo(7.1) });
const closed = ticket('closed', { status: 'closed', solvedAt: daysAgo(1) });
const bobs = ticket('bobs', { participants: ['bob'] });

const ann = { customerId: 'ann', forged: false, automatic: false };
const nothing: Evidence<Candidate> = { signed: undefined, conversation: [] };
const signed = (by: Candidate, ...conversation: Candidate[]): Evidence<Candidate> => ({ signed: by, conversation });
const conversation = (...tickets: Candidate[]): Evidence<Candidate> => ({ signed: undefined, conversation: tickets });

describe('whichTicket', () => {
  it.each([
    ['nothing is known', nothing, ann, {}],
    ['a signed token', signed(open), ann, { into: open }],
    ['a signed token, held by somebody new', signed(bobs), ann, { into: bobs }],
    ['a signed token, whoever the sender claims to be', signed(open), { ...ann, forged: true }, { into: open }],
    ['a signed token beside a conversation', signed(open, ticket('other')), ann, { into: open }],
    ['a conversation of the sender', conversation(open), ann, { into: open }],
    ['a conversation of somebody else', conversation(bobs), ann, { relatedTo: bobs }],
    ['a conversation in which the sender has a part', conversation(bobs, open), ann, { into: open }],
    ['a conversation of the sender, but the sender is forged', conversation(open), { ...ann, forged: true }, { relatedTo: open }],
    ['solved lately', conversation(solved), ann, { into: solved }],
    ['solved too long ago', conversation(longSolved), ann, { followUpOf: longSolved }],
    ['closed', conversation(closed), ann, { followUpOf: closed }],
    ['a signed token of a closed ticket', signed(closed), ann, { followUpOf: closed }],
    ['a signed token of a closed ticket whose follow-up is open', signed(closed, open), ann, { into: open }],
    ['a signed token of a closed ticket, in a conversation of somebody else', signed(closed, bobs), ann, { followUpOf: closed }],
    ['an automatic answer to an open ticket', conversation(open), { ...ann, automatic: true }, { into: open }],
    ['an automatic answer to a closed ticket', conversation(closed), { ...ann, automatic: true }, { into: closed }],
    ['an automatic answer to a ticket that was solved long ago', signed(longSolved), { ...ann, automatic: true }, { into: longSolved }],
    ['an automatic answer to nothing', nothing, { ...ann, automatic: true }, {}],
    ['an automatic answer into a conversation of somebody else', conversation(bobs), { ...ann, automatic: true }, { relatedTo: bobs }],
  ])('%s', (_, evidence, sender, placement) => {
    expect(whichTicket(evidence, sender, now, 7 * DAY_MS)).toEqual(placement);
  });
});
