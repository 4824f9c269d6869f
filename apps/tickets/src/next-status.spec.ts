import { describe, expect, it } from '@jest/globals';
import { ticketStatus } from '@tierline/events';
import { mayBecome, move, statusAfterReply, type Standing } from './next-status.ts';

const statuses = ticketStatus.options;
const at = (day: number): Date => new Date(Date.UTC(2025, 5, day));

describe('statusAfterReply', () => {
  it('gives work to whoever waited for the customer or was done, and changes nothing else', () => {
    expect(Object.fromEntries(statuses.map((status) => [status, statusAfterReply(status)]))).toEqual({
      new: 'new',
      open: 'open',
      pending: 'open',
      on_hold: 'open',
      solved: 'open',
      closed: 'closed',
    });
  });
});

describe('mayBecome', () => {
  it.each([
    ['new', ['new', 'open', 'pending', 'on_hold', 'solved', 'closed']],
    ['open', ['open', 'pending', 'on_hold', 'solved', 'closed']],
    ['pending', ['open', 'pending', 'on_hold', 'solved', 'closed']],
    ['on_hold', ['open', 'pending', 'on_hold', 'solved', 'closed']],
    ['solved', ['open', 'pending', 'on_hold', 'solved', 'closed']],
    ['closed', ['closed']],
  ] as const)('%s → %j', (from, to) => {
    expect(statuses.filter((status) => mayBecome(from, status))).toEqual(to);
  });
});

describe('move', () => {
  const solved: Standing = { status: 'solved', solvedAt: at(1), closedAt: null };

  it.each<[string, Standing, Parameters<typeof move>[1], Standing]>([
    ['notes when it was solved', { status: 'open', solvedAt: null, closedAt: null }, 'solved', { status: 'solved', solvedAt: at(2), closedAt: null }],
    ['forgets that when it is open again', solved, 'open', { status: 'open', solvedAt: null, closedAt: null }],
    ['keeps it when it is closed', solved, 'closed', { status: 'closed', solvedAt: at(1), closedAt: at(2) }],
    ['closes what was never solved', { status: 'new', solvedAt: null, closedAt: null }, 'closed', { status: 'closed', solvedAt: null, closedAt: at(2) }],
  ])('%s', (_, before, to, after) => {
    const ticket = { ...before };
    move(ticket, to, at(2));
    expect(ticket).toEqual(after);
  });
});
