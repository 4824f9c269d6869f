import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { TicketStatus } from '@tierline/events';
import { countedAt, instantOf, stateOf } from './clock.ts';
import { fold, inOrder, keptOf, lookAt, nextPoint, open, RECENT_FACTS, refold, restore } from './fold-ticket.ts';
import { sampleBook, sampleCalendar, samplePolicy } from './sample-policy.ts';
import { story, tell, type Heard } from './ticket-story.ts';
import { MAX_PAUSES, type Fact } from './ticket-clocks.ts';

const { look, wrote, answered, becomes, priority, merged } = tell;
const pending = (at: number): Heard => becomes(at, 'pending');
const work = (at: number): Heard => becomes(at, 'open');
const solved = (at: number): Heard => becomes(at, 'solved');

describe('a clock', () => {
  // It may take 100 ms, and warns at half of it.
  const standard = samplePolicy({ resolution: 100 }, { warnAtPercent: [50], match: { priorities: ['normal', 'high', 'urgent'] } });
  const others = [
    samplePolicy({ resolution: 80 }, { name: 'shorter', warnAtPercent: [50], match: { priorities: ['high'] } }),
    samplePolicy({ resolution: 200 }, { name: 'longer', warnAtPercent: [50], match: { priorities: ['urgent'] } }),
  ];
  const book = sampleBook([[...others, standard]]);
  const toldOf = (heard: (Heard | Heard[])[]): string[] =>
    story(book, heard)
      .told.map((what) => what.replace('resolution ', ''))
      .slice(1);

  it.each<[string, Heard[], string[]]>([
    ['is met when it stops in time', [solved(40)], ['met@40']],
    ['is met when it takes exactly the target', [solved(100)], ['met@100']],
    ['is missed one millisecond later', [solved(101)], ['breached@100', 'missed@101']],
    ['warns when its share of the target is gone', [look(49), look(50)], ['warned@50']],
    ['warns once', [look(50), look(60)], ['warned@50']],
    ['is not breached while the target is just used up', [look(50), look(100)], ['warned@50']],
    ['is breached at the due instant, whenever that is noticed', [look(50), look(140)], ['warned@50', 'breached@100']],
    ['is breached once', [look(140), look(150), solved(160)], ['breached@100', 'missed@160']],
    ['does not warn any more of what is breached already', [look(140)], ['breached@100']],
    ['does not warn of what is done already', [solved(60)], ['met@60']],
    ['takes back a breach when it hears late of a solution in time', [look(140), solved(90)], ['breached@100', 'revoked@90', 'met@90']],
    ['takes back a breach for a solution exactly at the due instant', [look(140), solved(100)], ['breached@100', 'revoked@100', 'met@100']],

    ['stands still in a pause', [pending(30), look(500)], ['paused@30']],
    ['is due later by what it paused', [pending(30), work(50), look(120), solved(121)], ['paused@30', 'resumed@50', 'warned@70', 'breached@120', 'missed@121']],
    ['counts no pause twice', [pending(30), pending(40), work(50), work(60), solved(120)], ['paused@30', 'resumed@50', 'met@120']],
    ['says in a pause that it was missed before', [pending(130)], ['breached@100', 'paused@130']],
    [
      'takes back a breach when it hears late of a pause',
      [look(140), pending(90), work(150)],
      ['breached@100', 'revoked@90', 'paused@90', 'resumed@150', 'warned@50'],
    ],
    ['stops in a pause', [pending(30), solved(500)], ['paused@30', 'met@500']],

    ['goes on when the work is taken up again; the time between does not count', [solved(60), work(300), look(340)], ['met@60', 'resumed@300', 'warned@50']],
    [
      'is missed in the end though it was met at first',
      [solved(60), work(300), solved(341)],
      ['met@60', 'resumed@300', 'warned@50', 'breached@340', 'missed@341'],
    ],
    [
      'announces a breach once, over any number of reopenings',
      [solved(120), work(200), solved(210), work(220), look(999)],
      ['breached@100', 'missed@120', 'resumed@200', 'missed@210', 'resumed@220'],
    ],
    [
      'pauses when it is taken up only to wait',
      [solved(60), pending(300), work(400), solved(440)],
      ['met@60', 'paused@300', 'resumed@400', 'warned@50', 'met@440'],
    ],

    ['keeps its start under another policy', [priority(40, 'high'), look(80), look(81)], ['retargeted@40', 'warned@40', 'breached@80']],
    ['warns again for a new target', [look(50), priority(60, 'urgent'), look(100)], ['warned@50', 'retargeted@60', 'warned@100']],
    ['is breached at the change when the new target is past already', [priority(90, 'high')], ['retargeted@90', 'breached@90 (policy_change)']],
    ['takes back a breach when the target grows', [look(110), priority(120, 'urgent')], ['breached@100', 'retargeted@120', 'revoked@120', 'warned@100']],
    ['keeps a breach that the new target does not undo', [look(110), priority(220, 'urgent')], ['breached@100', 'retargeted@220']],

    ['ends with a merge', [merged(40), look(500), solved(600)], ['cancelled@40 (merged)']],
    ['ends with a merge though it was stopped', [solved(30), merged(40)], ['met@30', 'cancelled@40 (merged)']],
    ['says nothing while no policy matches', [priority(40, 'low'), look(500), solved(600)], ['cancelled@40 (no_policy)']],
    [
      'goes on when a policy matches again, as if it always had',
      [priority(20, 'low'), pending(30), work(50), priority(60, 'normal'), solved(120)],
      ['cancelled@20 (no_policy)', 'retargeted@60', 'resumed@60', 'met@120'],
    ],
    ['stays merged whatever policy matches', [merged(20), priority(60, 'high')], ['cancelled@20 (merged)']],
  ])('%s', (_, heard, told) => {
    expect(toldOf(heard)).toEqual(told);
  });

  it.each<[string, Heard[], { point: string; at: number } | undefined]>([
    ['the warning', [], { point: 'warning', at: 50 }],
    ['then the first instant after the due one', [look(50)], { point: 'breach', at: 101 }],
    ['nothing after a breach', [look(101)], undefined],
    ['nothing in a pause', [pending(10)], undefined],
    ['everything later after a pause', [pending(10), work(25)], { point: 'warning', at: 65 }],
    ['nothing when it is done', [solved(10)], undefined],
    ['nothing when it is cancelled', [priority(10, 'low')], undefined],
    ['the breach again when it was taken back', [look(50), look(140), pending(90), work(200)], { point: 'breach', at: 211 }],
  ])('waits for %s', (_, heard, next) => {
    const point = nextPoint(story(book, heard).ticket);
    expect(point?.next).toEqual(next);
  });

  it('has nothing to tell before its point, and something at it', () => {
    const runs = fc.array(fc.record({ gapMs: fc.nat({ max: 40 }), status: fc.constantFrom<TicketStatus>('open', 'pending', 'solved') }), { maxLength: 8 });
    fc.assert(
      fc.property(runs, (steps) => {
        let at = 0;
        const { ticket } = story(
          book,
          steps.map(({ gapMs, status }) => becomes((at += gapMs), status)),
        );
        const next = nextPoint(ticket);
        if (!next) return;
        expect(lookAt(ticket, next.next.at - 1, book).changes).toEqual([]);
        expect(lookAt(ticket, next.next.at, book).changes).toHaveLength(1);
      }),
    );
  });
});

/** One of each kind of thing that happens, at times of their own, in an office that closes. */
const calendars = [
  sampleCalendar('short', { timeZone: 'UTC', hours: { thu: [['00:00', '00:01']], fri: [['00:00', '12:00']] } }),
  sampleCalendar('long', { timeZone: 'UTC', hours: { thu: [['00:00', '00:02']], fri: [['00:00', '12:00']] } }),
];
const targets = {
  first_response: 9_000,
  next_response: 7_000,
  periodic_update: 20_000,
  pausable_update: 20_000,
  requester_wait: 50_000,
  agent_work: 30_000,
  resolution: 40_000,
};
const book = sampleBook(
  [
    [
      samplePolicy(
        { resolution: 20_000, next_response: 3_000 },
        { name: 'urgent', calendar: 'long/1', match: { priorities: ['urgent'] }, warnAtPercent: [50, 80] },
      ),
      samplePolicy(targets, {
        calendar: 'short/1',
        teamCalendars: { night: 'long/1' },
        match: { priorities: ['normal', 'urgent'] },
        warnAtPercent: [50, 80],
        reopenWindowMs: 5_000,
      }),
    ],
  ],
  calendars,
);
const anyFact = (at: number): fc.Arbitrary<Fact[]> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constant([wrote(at)]) },
    { weight: 3, arbitrary: fc.constant(answered(at)) },
    { weight: 4, arbitrary: fc.constantFrom<TicketStatus>('open', 'pending', 'on_hold', 'solved').map((status) => [becomes(at, status)]) },
    { weight: 1, arbitrary: fc.constantFrom('normal' as const, 'urgent' as const, 'low' as const).map((to) => [priority(at, to)]) },
    { weight: 1, arbitrary: fc.constantFrom('night', 'day').map((team) => [tell.assigned(at, team)]) },
    { weight: 1, arbitrary: fc.nat({ max: at }).map((since) => [tell.joined(at, since)]) },
  ) as fc.Arbitrary<Fact[]>;
/** What happened, in order, each at a time of its own; and in which order it is heard of. */
const history = (maxLength: number): fc.Arbitrary<{ facts: Fact[][]; heard: Fact[][] }> =>
  fc
    .array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1, maxLength })
    .chain((gaps) => {
      let at = 0;
      return fc.tuple(...gaps.map((gap) => anyFact((at += gap))));
    })
    .chain((facts) => fc.shuffledSubarray(facts, { minLength: facts.length }).map((heard) => ({ facts, heard })));
const heardOf = (facts: readonly Fact[][]): Heard[] => facts.flat() as Heard[];

describe('an event that is heard of late', () => {
  it('leaves the ticket as if it had been heard of in time, in whatever order events come', () => {
    fc.assert(
      fc.property(history(25), ({ facts, heard }) => {
        const inTime = story(book, heardOf(facts));
        const late = story(book, heardOf(heard));
        expect(late.ticket.head).toEqual(inTime.ticket.head);
        expect(late.ticket.recent).toEqual(inTime.ticket.recent);
        // What was warned of before it was known better is not warned of again, so the points may be others; but they are of the same clocks.
        const pointing = ({ ticket: { watches } }: typeof late): string[] => watches.flatMap(({ metric, next }) => (next ? [metric] : []));
        expect(pointing(late)).toEqual(pointing(inTime));
      }),
    );
  });

  it('does so too when it comes so late that its neighbours are kept elsewhere', () => {
    const restless = Array.from({ length: 5 * RECENT_FACTS }, (_, index): Fact[] => [becomes(100 + index * 50, index % 2 ? 'pending' : 'open') as Fact]);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9_000 }), fc.constantFrom('answer', 'wait', 'policy'), (at, what) => {
        const fact = what === 'answer' ? answered(at) : what === 'wait' ? [becomes(at, 'on_hold')] : [priority(at, 'urgent')];
        const late = story(book, [...heardOf(restless), ...fact]);
        const inTime = story(book, heardOf(inOrder([...restless.flat(), ...(fact as Fact[])]).map((each) => [each])));
        // Pauses that are too many to carry may be let go of at another time.
        const shown = ({ ticket: { head } }: typeof late): unknown => ({ ...head, clocks: head.clocks.map(({ pauses: _, ...clock }) => clock) });
        expect(shown(late)).toEqual(shown(inTime));
        expect(inOrder([...late.past, ...late.ticket.recent])).toEqual(inOrder([tell.opened(), ...restless.flat(), ...(fact as Fact[])]));
      }),
      { numRuns: 12 },
    );
  });

  it('ends with the same announcements in force', () => {
    fc.assert(
      fc.property(history(15), ({ facts, heard }) => {
        const { changes, ticket } = story(book, heardOf(heard));
        const isBreached = new Map<string, boolean>();
        for (const change of changes) {
          for (const { metric, cycle } of change.what === 'started' ? change.clocks : [change.clock]) {
            if (change.what === 'started' || change.what === 'revoked') isBreached.set(`${metric}/${cycle}`, false);
            if (change.what === 'breached') isBreached.set(`${metric}/${cycle}`, true);
          }
        }
        for (const { metric, cycle, breach, cancelled } of ticket.head.clocks) {
          if (!cancelled) expect([metric, cycle, isBreached.get(`${metric}/${cycle}`)]).toEqual([metric, cycle, breach !== null]);
        }
        expect(story(book, heardOf(facts)).ticket.seenAt).toBe(ticket.seenAt);
      }),
    );
  });
});

describe('in any history', () => {
  it('nothing is early: at the time of a breach or a warning so much has counted, and a millisecond before it has not', () => {
    fc.assert(
      fc.property(history(20), fc.nat({ max: 100_000 }), ({ facts }, restMs) => {
        const { changes, ticket } = story(book, [...heardOf(facts), look(facts.flat().at(-1)!.at + restMs)]);
        for (const change of changes) {
          if (change.what === 'breached') expect(change.at).toBeLessThanOrEqual(ticket.seenAt);
          if (change.what !== 'warned') continue;
          expect(change.at).toBeLessThanOrEqual(ticket.seenAt);
          const calendar = book.calendar(change.clock.calendar);
          const ms = Math.ceil((change.clock.targetMs * change.percent) / 100);
          expect(countedAt(change.clock, ticket.seenAt, calendar)).toBeGreaterThanOrEqual(ms);
          expect(instantOf(change.clock, ms, calendar)).toBe(change.at);
        }
      }),
    );
  });

  it('a clock is breached exactly when more than its target has counted, by the slow way', () => {
    const always = sampleBook([[samplePolicy({ resolution: 100 })]]);
    const steps = fc.array(fc.record({ gapMs: fc.nat({ max: 60 }), status: fc.constantFrom<TicketStatus>('open', 'pending', 'solved') }), { maxLength: 15 });
    fc.assert(
      fc.property(steps, fc.nat({ max: 300 }), (gaps, restMs) => {
        let at = 0;
        const heard = gaps.map(({ gapMs, status }) => becomes((at += gapMs), status));
        const end = at + restMs;
        let counted = 0;
        for (let ms = 0; ms < end; ms++) {
          const last = heard.findLast((fact) => fact.at <= ms);
          if (!last || (last.what === 'changed' && last.status === 'open')) counted++;
        }
        const { told, clock } = story(always, [...heard, look(end)]);
        expect(told.filter((what) => what.includes('breached'))).toHaveLength(counted > 100 ? 1 : 0);
        expect(told.some((what) => what.includes('revoked'))).toBe(false);
        expect(countedAt(clock('resolution'), end, always.calendar(null))).toBe(counted);
      }),
    );
  });

  it('looking changes nothing but what is told sooner', () => {
    fc.assert(
      fc.property(history(15), fc.array(fc.boolean(), { minLength: 15, maxLength: 15 }), ({ facts }, looks) => {
        const end = facts.flat().at(-1)!.at;
        const quiet = story(book, heardOf(facts));
        const watched = story(
          book,
          facts.flatMap((each, index) => (looks[index] ? [look(each[0]!.at), ...(each as Heard[])] : (each as Heard[]))),
        );
        expect(watched.ticket.head).toEqual(quiet.ticket.head);
        expect(watched.ticket.seenAt).toBe(end);
      }),
    );
  });

  it('a longer target is due later, and more holidays are not earlier', () => {
    const hours = { mon: [['09:00', '17:00']], tue: [['09:00', '12:00']], fri: [['22:00', '06:00']] } as { mon: [string, string][] };
    const dueWith = (targetMs: number, holidays: string[]): number => {
      const one = sampleBook(
        [[samplePolicy({ resolution: targetMs }, { calendar: 'c/1' })]],
        [sampleCalendar('c', { timeZone: 'Australia/Lord_Howe', hours, holidays })],
      );
      return open(tell.opened({ at: Date.parse('2026-03-02T00:00:00Z') }), one).ticket.head.clocks[0]!.dueAt!;
    };
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100_000_000 }),
        fc.integer({ min: 1, max: 50_000_000 }),
        fc.subarray(['2026-03-09', '2026-03-16', '2026-03-03']),
        (targetMs, moreMs, holidays) => {
          expect(dueWith(targetMs + moreMs, holidays)).toBeGreaterThan(dueWith(targetMs, holidays));
          expect(dueWith(targetMs, holidays)).toBeGreaterThanOrEqual(dueWith(targetMs, []));
        },
      ),
      { numRuns: 20 },
    );
  });
});

describe('a ticket of any age', () => {
  const facts = Array.from({ length: 3_000 }, (_, index): Fact => {
    const at = 1 + index;
    const [what] = [[wrote(at)], answered(at), [pending(at)], [work(at)]][index % 4]!;
    return what as Fact;
  });

  it('carries no more than its recent facts and a bounded state', () => {
    const { ticket, past } = story(book, facts as Heard[]);
    expect(ticket.recent.length).toBeLessThanOrEqual(2 * RECENT_FACTS);
    expect(past.length + ticket.recent.length).toBe(facts.length + 1);
    expect(Math.max(...ticket.base!.clocks.map(({ pauses }) => pauses?.length ?? 0))).toBeLessThanOrEqual(MAX_PAUSES);
    expect(JSON.stringify(keptOf(ticket)).length).toBeLessThan(8_000);
    expect(refold(null, [...past, ...ticket.recent], book).head.tallies).toEqual(ticket.head.tallies);
  });

  it('is the same again from what is kept of it', () => {
    const again = ({ ticket }: ReturnType<typeof story>): unknown => restore(JSON.parse(JSON.stringify(keptOf(ticket))) as ReturnType<typeof keptOf>, book);
    fc.assert(
      fc.property(history(40), ({ heard }) => {
        const told = story(book, heardOf(heard));
        expect(again(told)).toEqual(told.ticket);
      }),
      { numRuns: 50 },
    );
    const old = story(book, [...(facts as Heard[]), look(9_000)]);
    expect(again(old)).toEqual(old.ticket);
    // Terms that change when the pauses are too many to carry, and facts after that.
    for (let more = 0; more <= 2 * RECENT_FACTS; more++) {
      const later = Array.from({ length: more }, (_, index) => becomes(10_000 + index, index % 2 ? 'open' : 'pending'));
      const changed = story(book, [...(facts as Heard[]), priority(9_500, 'urgent'), ...later]);
      expect(again(changed)).toEqual(changed.ticket);
    }
  });

  it('says so when it cannot do without the facts that it no longer carries', () => {
    const { ticket, past } = story(book, facts as Heard[]);
    expect(() => fold(ticket, { what: 'wrote', at: 5 }, book)).toThrow(expect.objectContaining({ code: 'ticket.past_needed' }));
    expect(stateOf(fold(ticket, { what: 'wrote', at: 5 }, book, past).ticket.head.clocks[0]!)).toBe('met');
  });
});
