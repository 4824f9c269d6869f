import { describe, expect, it } from '@jest/globals';
import type { TicketAssigned, TicketChanged, TicketMerged, TicketOpened, TicketReplied } from '@tierline/events';
import { factsOf, heedsAssignment, openingOf, type Seen, type TicketEvent } from './facts-of.ts';
import { sampleBook, samplePolicy } from './sample-policy.ts';
import { story, tell } from './ticket-story.ts';

const START = Date.parse('2026-03-02T09:00:00.000Z');
const iso = (second: number): string => new Date(START + second * 1_000).toISOString();
const seconds = (at: number): number => (at - START) / 1_000;

const seen: Seen = { head: { channel: 'email', status: 'open', statusAt: START }, under: 7, waitingSince: () => null };
const envelope = { id: 'e', version: 1, topic: 'ticket', key: 't', time: iso(100) } as const;
const replied = (rest: Partial<TicketReplied['data']> = {}): TicketReplied => ({
  ...envelope,
  type: 'ticket.replied',
  data: {
    ticketId: 't',
    messageId: 'm',
    by: { kind: 'agent', id: 'ann' },
    public: true,
    channel: 'email',
    preview: '',
    automatic: false,
    occurredAt: iso(10),
    ...rest,
  },
});
const changed = (changes: Pick<TicketChanged['data'], 'status' | 'priority' | 'labels'>, second = 10): TicketChanged => ({
  ...envelope,
  type: 'ticket.changed',
  data: { ticketId: 't', ...changes, by: { kind: 'agent' }, occurredAt: iso(second) },
});
const merged = (ticketId: string): TicketMerged => ({
  ...envelope,
  type: 'ticket.merged',
  data: { ticketId, intoTicketId: 'x', by: { kind: 'agent' }, occurredAt: iso(10) },
});
const assigned: TicketAssigned = {
  ...envelope,
  topic: 'assignment',
  type: 'ticket.assigned',
  data: { ticketId: 't', offerId: 'o', agentId: 'ann', team: 'care', pool: 'main', queue: 'all', tier: 1, waitedMs: 0, assignedAt: iso(10) },
};
const inWords = (event: TicketEvent, rest: Partial<Seen> = {}): string[] =>
  factsOf(event, { ...seen, ...rest }).map(({ what, at }) => `${what}@${seconds(at)}`);

describe('what an event means to the clocks', () => {
  it.each<[string, TicketEvent, Partial<Seen>, string[]]>([
    ['the answer of a person', replied(), {}, ['responded@10', 'replied@10']],
    ['a note among us', replied({ public: false }), {}, []],
    ['an automatic answer', replied({ automatic: true }), {}, []],
    ['an answer by nobody in person', replied({ by: { kind: 'system' } }), {}, []],
    ['a message of the customer', replied({ by: { kind: 'customer' } }), {}, ['wrote@10']],
    ['an automatic message of the customer', replied({ by: { kind: 'customer' }, automatic: true }), {}, []],
    ['a message whose sender’s clock is ahead', replied({ by: { kind: 'customer' }, occurredAt: iso(999) }), {}, ['wrote@100']],
    ['an assignment', assigned, {}, ['assigned@10']],
    ['an assignment on a live channel', assigned, { head: { ...seen.head, channel: 'voice' } }, ['assigned@10', 'responded@10']],
    ['a merge into another', merged('t'), {}, ['merged@10']],
    ['a merge of another, whose customer waits for nothing', merged('other'), {}, []],
    ['a merge of another, whose customer waits', merged('other'), { waitingSince: () => START + 5_000 }, ['joined@10']],
    ['a change', changed({ status: { from: 'open', to: 'pending' } }), {}, ['changed@10']],
  ])('%s', (_, event, rest, facts) => {
    expect(inWords(event, rest)).toEqual(facts);
  });

  it('a change that leads on from the state we know came after it, whatever two clocks say', () => {
    const late = { head: { ...seen.head, statusAt: START + 20_000 } };
    expect(inWords(changed({ status: { from: 'open', to: 'solved' } }), late)).toEqual(['changed@20']);
    expect(inWords(changed({ status: { from: 'new', to: 'solved' } }), late)).toEqual(['changed@10']);
    expect(inWords(changed({ priority: { from: 'low', to: 'high' } }), late)).toEqual(['changed@10']);
  });
});

describe('a new ticket', () => {
  const opened = (rest: Partial<TicketOpened['data']>): Pick<TicketOpened, 'data'> =>
    ({ data: { ticketId: 't', status: 'new', priority: 'normal', channel: 'email', labels: [], occurredAt: iso(0), openedAt: iso(10), ...rest } }) as Pick<
      TicketOpened,
      'data'
    >;

  it('begins with the contact, and not after it was opened', () => {
    expect(seconds(openingOf(opened({}), 1).at)).toBe(0);
    expect(seconds(openingOf(opened({ occurredAt: iso(99) }), 1).at)).toBe(10);
  });

  it('that was split from another has fresh clocks from the split, and the other is unchanged', () => {
    const fact = openingOf(opened({ splitFrom: 'parent' }), 1);
    const book = sampleBook([[samplePolicy({ resolution: 100_000 })]]);
    expect(story(book, [], fact).told).toEqual([`resolution started@${START + 10_000}`]);
  });

  it('that an agent opened says so', () => {
    expect(openingOf(opened({ openedBy: { kind: 'agent', id: 'ann' } }), 1).byAgent).toBe(true);
    expect(openingOf(opened({ openedBy: { kind: 'customer' } }), 1).byAgent).toBe(false);
  });
});

it('who has a ticket matters on a live channel until it is answered, and where teams have calendars of their own', () => {
  const book = sampleBook([
    [
      samplePolicy({ first_response: 1 }, { match: { channels: ['email'] }, teamCalendars: { care: 'office/1' } }),
      samplePolicy({ first_response: 1 }, { name: 'other' }),
    ],
  ]);
  const heeds = (channel: string, heard: Parameters<typeof story>[1] = []): boolean =>
    heedsAssignment(story(book, heard, tell.opened({ channel })).ticket.head, book);
  expect([heeds('chat'), heeds('chat', tell.answered(1)), heeds('sms'), heeds('email')]).toEqual([true, false, false, true]);
});
