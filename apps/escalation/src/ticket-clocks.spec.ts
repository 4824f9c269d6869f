import { describe, expect, it } from '@jest/globals';
import type { ClockDue, TicketChanged, TicketMerged, TicketOpened, TicketReplied } from '@tierline/events';
import { stateOf } from './clock.ts';
import type { Policy } from './policy.ts';
import { foldTicket, nextTimer, openTicket, type Ticket, type TicketEvent } from './ticket-clocks.ts';

const SECOND = 1_000;
const START = Date.parse('2026-03-02T09:00:00.000Z');
const at = (second: number): string => new Date(START + second * SECOND).toISOString();

const policy = (name: string, firstResponse: number | undefined, resolution: number | undefined, match: Policy['match'] = {}): Policy => ({
  name,
  version: 1,
  match,
  targetsMs: { ...(firstResponse && { first_response: firstResponse * SECOND }), ...(resolution && { resolution: resolution * SECOND }) },
  warnAtPercent: 50,
  pauseOn: { first_response: [], resolution: ['pending', 'on_hold'] },
});
const urgent = policy('urgent', 10, 60, { priorities: ['urgent'] });
const standard = policy('standard', 100, 600);
const policies = [urgent, standard];

let ids = 0;
const envelope = {
  version: 1,
  key: 't',
  get id() {
    return `e${ids++}`;
  },
};

function opened(rest: Partial<TicketOpened['data']> = {}): TicketOpened {
  return {
    ...envelope,
    type: 'ticket.opened',
    topic: 'ticket',
    time: at(0),
    data: {
      ticketId: 't',
      number: 1,
      contactId: 'c',
      messageId: 'm',
      channel: 'email',
      accountRef: 'a',
      conversationKey: 'k',
      customerId: 'x',
      subject: '',
      preview: '',
      replyTo: { type: 'email', value: 'a@b.example', normalized: 'a@b.example', verified: true },
      status: 'new',
      priority: 'normal',
      labels: [],
      tier: 1,
      silent: false,
      occurredAt: at(0),
      openedAt: at(0),
      ...rest,
    },
  };
}
const replied = (second: number, rest: Partial<TicketReplied['data']> = {}): TicketReplied => ({
  ...envelope,
  type: 'ticket.replied',
  topic: 'ticket',
  time: at(second),
  data: {
    ticketId: 't',
    messageId: 'm',
    by: { kind: 'agent', id: 'ann' },
    public: true,
    channel: 'email',
    preview: '',
    automatic: false,
    occurredAt: at(second),
    ...rest,
  },
});
const changed = (second: number, changes: Pick<TicketChanged['data'], 'status' | 'priority' | 'labels'>): TicketChanged => ({
  ...envelope,
  type: 'ticket.changed',
  topic: 'ticket',
  time: at(second),
  data: { ticketId: 't', ...changes, by: { kind: 'agent', id: 'ann' }, occurredAt: at(second) },
});
const becomes = (second: number, to: Ticket['status']): TicketChanged => changed(second, { status: { from: 'open', to } });
const merged = (second: number, ticketId = 't'): TicketMerged => ({
  ...envelope,
  type: 'ticket.merged',
  topic: 'ticket',
  time: at(second),
  data: { ticketId, intoTicketId: ticketId === 't' ? 'other' : 't', by: { kind: 'agent', id: 'ann' }, occurredAt: at(second) },
});
const due = (second: number, clock: { clockId: string; epoch: number; metric: 'first_response' | 'resolution' }): ClockDue => ({
  ...envelope,
  type: 'clock.due',
  topic: 'clock',
  time: at(second),
  data: { ...clock, ticketId: 't', point: 'breach' },
});

/** Opens a ticket and folds events; what is told of which metric. */
function story(
  opening: TicketOpened,
  events: (TicketEvent | ((ticket: Ticket) => TicketEvent))[],
  inForce: readonly Policy[] = policies,
): { ticket: Ticket; told: string[] } {
  let { ticket, effects } = openTicket(opening, inForce);
  const told: string[] = [];
  const note = (): void => {
    for (const { definition, data } of effects) told.push(`${(data as { metric?: string }).metric ?? 'ticket'} ${definition.type.slice('clock.'.length)}`);
  };
  note();
  for (const event of events) {
    ({ ticket, effects } = foldTicket(ticket, typeof event === 'function' ? event(ticket) : event, inForce));
    note();
  }
  return { ticket, told };
}
const states = (ticket: Ticket): Record<string, string> => Object.fromEntries(ticket.clocks.map((clock) => [clock.metric, stateOf(clock)]));

describe('a new ticket', () => {
  it('has the clocks of the first policy that matches, from the customer’s contact on', () => {
    const { ticket, effects } = openTicket(opened({ priority: 'urgent', occurredAt: at(-5) }), policies);
    expect(effects).toHaveLength(1);
    expect(effects[0]!.data).toMatchObject({
      policy: 'urgent',
      policyVersion: 1,
      clocks: [
        { metric: 'first_response', targetMs: 10_000, startedAt: at(-5), dueAt: at(5) },
        { metric: 'resolution', targetMs: 60_000, startedAt: at(-5), dueAt: at(55) },
      ],
    });
    expect(nextTimer(ticket)).toMatchObject({ clock: { metric: 'first_response' }, point: 'warning', at: START });
  });

  it('does not start later than it was opened, whatever its sender’s clock says', () => {
    expect(openTicket(opened({ occurredAt: at(9999) }), policies).ticket.startedAt).toBe(START);
  });

  it('has only the clocks that have a target', () => {
    expect(states(openTicket(opened(), [policy('slow', undefined, 60)]).ticket)).toEqual({ resolution: 'running' });
  });

  it('has no clock without a policy', () => {
    const { ticket, effects } = openTicket(opened(), [urgent]);
    expect([ticket.clocks, effects, nextTimer(ticket)]).toEqual([[], [], undefined]);
  });

  it('stands still from the beginning when it is opened in a pausing state', () => {
    expect(states(openTicket(opened({ status: 'pending' }), policies).ticket)).toEqual({ first_response: 'running', resolution: 'paused' });
  });
});

describe('the first response', () => {
  it.each<[string, Partial<TicketReplied['data']>, string]>([
    ['a public answer by an agent stops it', {}, 'met'],
    ['a note does not', { public: false }, 'running'],
    ['a machine’s answer does not', { automatic: true }, 'running'],
    ['the customer does not', { by: { kind: 'customer' } }, 'running'],
    ['the system does not', { by: { kind: 'system' } }, 'running'],
  ])('%s', (_, rest, state) => {
    expect(states(story(opened(), [replied(10, rest)]).ticket)).toEqual({ first_response: state, resolution: 'running' });
  });

  it('stays met when the ticket is reopened', () => {
    expect(states(story(opened(), [replied(10), becomes(20, 'solved'), becomes(30, 'open')]).ticket)).toEqual({ first_response: 'met', resolution: 'running' });
  });

  it('is not waited for while the ticket is solved', () => {
    expect(states(story(opened(), [becomes(20, 'solved')]).ticket)).toEqual({ first_response: 'paused', resolution: 'met' });
    expect(states(story(opened(), [becomes(20, 'solved'), becomes(30, 'open')]).ticket)).toEqual({ first_response: 'running', resolution: 'running' });
  });

  it('does not pause unless its policy says so', () => {
    const pausing = { ...standard, pauseOn: { first_response: ['pending' as const], resolution: [] } };
    expect(states(story(opened(), [becomes(20, 'pending')]).ticket)).toEqual({ first_response: 'running', resolution: 'paused' });
    expect(states(story(opened(), [becomes(20, 'pending')], [pausing]).ticket)).toEqual({ first_response: 'paused', resolution: 'running' });
  });
});

describe('the resolution', () => {
  it('does not count waiting for the customer, nor the time in which it seemed solved', () => {
    const { ticket } = story(opened(), [becomes(100, 'pending'), becomes(200, 'open'), becomes(300, 'solved'), becomes(1000, 'open')]);
    const clock = ticket.clocks.find(({ metric }) => metric === 'resolution')!;
    expect(clock.pauses).toEqual([
      { from: START + 100 * SECOND, to: START + 200 * SECOND },
      { from: START + 300 * SECOND, to: START + 1000 * SECOND },
    ]);
  });

  it('keeps its result when a solved ticket is closed', () => {
    expect(story(opened(), [replied(1), becomes(10, 'solved'), becomes(9999, 'closed')]).told).toEqual([
      'ticket started',
      'first_response stopped',
      'resolution stopped',
    ]);
  });
});

describe('another policy', () => {
  const raised = (second: number): TicketChanged => changed(second, { priority: { from: 'normal', to: 'urgent' } });

  it('gives the clocks that run its targets, and leaves those that stopped', () => {
    const { ticket, told } = story(opened(), [replied(5), raised(20)]);
    expect(told).toEqual(['ticket started', 'first_response stopped', 'resolution retargeted']);
    expect(ticket.clocks.map((clock) => [clock.metric, clock.policy.name, clock.epoch])).toEqual([
      ['first_response', 'standard', 1],
      ['resolution', 'urgent', 1],
    ]);
  });

  it('can be missed at once', () => {
    expect(story(opened(), [raised(20)]).told).toEqual(['ticket started', 'first_response retargeted', 'first_response breached', 'resolution retargeted']);
  });

  it('is taken on by a clock that stopped when it runs again', () => {
    const { ticket } = story(opened(), [becomes(10, 'solved'), raised(20), becomes(30, 'open')]);
    expect(ticket.clocks.map((clock) => clock.policy.name)).toEqual(['urgent', 'urgent']);
  });

  it('is not another when only its version is: a clock keeps the version it began with', () => {
    const { ticket } = openTicket(opened(), policies);
    const newer = [urgent, { ...standard, version: 2, targetsMs: { resolution: SECOND } }];
    expect(foldTicket(ticket, changed(20, { priority: { from: 'normal', to: 'low' } }), newer).ticket.clocks).toEqual(ticket.clocks);
  });

  it('may be none: the clocks are cancelled, and run on when one matches again', () => {
    const { ticket, told } = story(opened({ priority: 'urgent' }), [changed(5, { priority: { from: 'urgent', to: 'low' } }), raised(8)], [urgent]);
    expect(told).toEqual([
      'ticket started',
      'first_response cancelled',
      'resolution cancelled',
      'first_response retargeted',
      'first_response resumed',
      'first_response warned',
      'resolution retargeted',
      'resolution resumed',
    ]);
    expect(states(ticket)).toEqual({ first_response: 'running', resolution: 'running' });
  });

  it('starts the clocks that a ticket did not have, from its beginning', () => {
    const { ticket, told } = story(opened(), [replied(5), raised(20)], [urgent]);
    expect(told).toEqual(['ticket started']);
    expect(ticket.clocks).toMatchObject([{ metric: 'resolution', startedAt: START }]);
  });
});

describe('a merged ticket', () => {
  it('has its clocks cancelled', () => {
    const { ticket, told } = story(opened(), [merged(10)]);
    expect(told).toEqual(['ticket started', 'first_response cancelled', 'resolution cancelled']);
    expect(ticket.status).toBe('closed');
    expect(nextTimer(ticket)).toBeUndefined();
  });

  it('leaves the clocks of the one it was merged into', () => {
    expect(states(story(opened(), [merged(10, 'source')]).ticket)).toEqual({ first_response: 'running', resolution: 'running' });
  });
});

describe('a timer', () => {
  const responseClock = (ticket: Ticket): Ticket['clocks'][number] => ticket.clocks.find(({ metric }) => metric === 'first_response')!;

  it('announces what has come due by the time it fired', () => {
    expect(story(opened(), [(ticket) => due(101, responseClock(ticket))]).told).toEqual(['ticket started', 'first_response breached']);
  });

  it('announces it of every clock of the ticket', () => {
    expect(story(opened(), [(ticket) => due(601, responseClock(ticket))]).told).toEqual(['ticket started', 'first_response breached', 'resolution breached']);
  });

  it('means nothing when the clock was changed since', () => {
    expect(story(opened(), [replied(5), (ticket) => due(601, { ...responseClock(ticket), epoch: 0 })]).told).toEqual([
      'ticket started',
      'first_response stopped',
    ]);
  });
});
