import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { dueAt, foldClock, nextPoint, stateOf, type Clock, type ClockFact } from './clock.ts';
import type { Policy } from './policy.ts';

const policyOf = (targetMs: number, rest: Partial<Policy> = {}): Policy => ({
  name: 'standard',
  version: 1,
  match: {},
  targetsMs: { resolution: targetMs },
  warnAtPercent: 50,
  pauseOn: { first_response: [], resolution: ['pending'] },
  ...rest,
});

/** A clock that started at 0 and may take 100 ms. */
const fresh: Clock = {
  clockId: 'c',
  ticketId: 't',
  metric: 'resolution',
  policy: policyOf(100),
  startedAt: 0,
  pauses: [],
  stoppedAt: null,
  cancelled: null,
  warned: false,
  breachedAt: null,
  epoch: 0,
};

const look = (at: number): ClockFact => ({ what: 'look', at });
const stop = (at: number): ClockFact => ({ what: 'stop', at });
const pause = (at: number): ClockFact => ({ what: 'pause', at });
const run = (at: number): ClockFact => ({ what: 'run', at });
const retarget = (at: number, targetMs: number): ClockFact => ({ what: 'retarget', at, policy: policyOf(targetMs, { name: 'other' }) });
const merge = (at: number): ClockFact => ({ what: 'cancel', at, reason: 'merged' });
const lose = (at: number): ClockFact => ({ what: 'cancel', at, reason: 'no_policy' });

/** Folds facts in the order in which they are heard of, and says what is told: `breached@100`. */
function story(facts: ClockFact[], clock: Clock = fresh): { clock: Clock; told: string[] } {
  const told: string[] = [];
  for (const fact of facts) {
    const folded = foldClock(clock, fact);
    clock = folded.clock;
    for (const { definition, data } of folded.effects) {
      const { warnedAt, breachedAt, stoppedAt, pausedAt, resumedAt, retargetedAt, cancelledAt, result } = data as Record<string, string>;
      const at = warnedAt ?? breachedAt ?? stoppedAt ?? pausedAt ?? resumedAt ?? retargetedAt ?? cancelledAt;
      told.push(`${result ?? definition.type.slice('clock.'.length)}@${Date.parse(at!)}`);
    }
  }
  return { clock, told };
}

describe('a clock', () => {
  it.each<[string, ClockFact[], string[]]>([
    ['is met when it stops in time', [stop(40)], ['met@40']],
    ['is met when it takes exactly the target', [stop(100)], ['met@100']],
    ['is missed one millisecond later', [stop(101)], ['breached@100', 'missed@101']],
    ['warns when its share of the target is gone', [look(49), look(50)], ['warned@50']],
    ['warns once', [look(50), look(60)], ['warned@50']],
    ['is not breached while the target is just used up', [look(50), look(100)], ['warned@50']],
    ['is breached at the due instant, whenever that is noticed', [look(50), look(140)], ['warned@50', 'breached@100']],
    ['is breached once', [look(140), look(150), stop(160)], ['breached@100', 'missed@160']],
    ['does not warn any more of what is breached already', [look(140)], ['breached@100']],
    ['does not warn of what is done already', [stop(60)], ['met@60']],
    ['takes back a breach when it hears late of a stop in time', [look(140), stop(90)], ['breached@100', 'breach_revoked@90', 'met@90']],
    ['takes back a breach for a stop exactly at the due instant', [look(140), stop(100)], ['breached@100', 'breach_revoked@100', 'met@100']],
    ['lets the first stop count, also when it hears of it last', [stop(120), stop(80)], ['breached@100', 'missed@120', 'breach_revoked@80', 'met@80']],
    ['does not move for a later stop', [stop(40), stop(60)], ['met@40']],

    ['stands still in a pause', [pause(30), look(500)], ['paused@30']],
    ['is due later by what it paused', [pause(30), run(50), look(120), stop(121)], ['paused@30', 'resumed@50', 'warned@70', 'breached@120', 'missed@121']],
    ['counts no pause twice', [pause(30), pause(40), run(50), run(60), stop(120)], ['paused@30', 'resumed@50', 'met@120']],
    ['says in a pause that it was missed before', [pause(130)], ['breached@100', 'paused@130']],
    [
      'takes back a breach when it hears late of a pause',
      [look(140), pause(90), run(150)],
      ['breached@100', 'breach_revoked@90', 'paused@90', 'resumed@150', 'warned@50'],
    ],
    ['stops in a pause', [pause(30), stop(500)], ['paused@30', 'met@500']],

    ['runs on when the work is taken up again; the time between does not count', [stop(60), run(300), look(340)], ['met@60', 'resumed@300', 'warned@50']],
    ['is missed in the end though it was met at first', [stop(60), run(300), stop(341)], ['met@60', 'resumed@300', 'warned@50', 'breached@340', 'missed@341']],
    [
      'announces a breach once, over any number of reopenings',
      [stop(120), run(200), stop(210), run(220), look(999)],
      ['breached@100', 'missed@120', 'resumed@200', 'missed@210', 'resumed@220'],
    ],
    ['pauses when it is taken up only to wait', [stop(60), pause(300), run(400), stop(440)], ['met@60', 'paused@300', 'resumed@400', 'warned@50', 'met@440']],

    ['keeps its start under another policy', [retarget(40, 80), look(80), look(81)], ['retargeted@40', 'warned@40', 'breached@80']],
    ['warns again for a new target', [look(50), retarget(60, 200), look(100)], ['warned@50', 'retargeted@60', 'warned@100']],
    ['is breached at the change when the new target is past already', [retarget(60, 30)], ['retargeted@60', 'breached@60']],
    ['takes back a breach when the target grows', [look(110), retarget(120, 300)], ['breached@100', 'retargeted@120', 'breach_revoked@120']],
    ['keeps a breach that the new target does not undo', [look(110), retarget(220, 200)], ['breached@100', 'retargeted@220']],

    ['ends with a merge', [merge(40), look(500), stop(600)], ['cancelled@40']],
    ['ends with a merge though it was stopped', [stop(30), merge(40)], ['met@30', 'cancelled@40']],
    ['says nothing while no policy matches', [lose(40), look(500), stop(600)], ['cancelled@40']],
    [
      'runs on when a policy matches again, as if it always had',
      [lose(20), pause(30), run(50), retarget(60, 100), stop(120)],
      ['cancelled@20', 'retargeted@60', 'resumed@60', 'met@120'],
    ],
    ['stays merged whatever policy matches', [merge(20), retarget(60, 100)], ['cancelled@20']],
  ])('%s', (_, facts, told) => {
    expect(story(facts).told).toEqual(told);
  });

  it('says what is left when it pauses, and how long it took when it stops', () => {
    const { clock } = story([pause(30)]);
    expect(foldClock(fresh, pause(30)).effects[0]!.data).toMatchObject({ remainingMs: 70 });
    expect(foldClock(clock, stop(500)).effects[0]!.data).toMatchObject({ elapsedMs: 30 });
  });

  it.each<[string, ClockFact[], ReturnType<typeof nextPoint>]>([
    ['the warning', [], { point: 'warning', at: 50 }],
    ['then the first instant after the due one', [look(50)], { point: 'breach', at: 101 }],
    ['nothing after a breach', [look(101)], undefined],
    ['nothing in a pause', [pause(10)], undefined],
    ['everything later after a pause', [pause(10), run(25)], { point: 'warning', at: 65 }],
    ['nothing when it is done', [stop(10)], undefined],
    ['nothing when it is cancelled', [lose(10)], undefined],
    ['the breach again when it was taken back', [look(50), look(140), pause(90), run(200)], { point: 'breach', at: 211 }],
  ])('waits for %s', (_, facts, next) => {
    expect(nextPoint(story(facts).clock)).toEqual(next);
  });

  it('fences with every change, and with nothing else', () => {
    const epochs = [look(10), look(60), pause(70), pause(75), run(80), retarget(90, 300), stop(95), stop(99)].map(
      (_, index, facts) => story(facts.slice(0, index + 1)).clock.epoch,
    );
    expect(epochs).toEqual([0, 0, 1, 1, 2, 3, 4, 4]);
  });

  describe('in any history', () => {
    const fact = fc.record({
      what: fc.constantFrom('run' as const, 'pause' as const, 'stop' as const),
      gapMs: fc.integer({ min: 0, max: 60 }),
      noticed: fc.boolean(),
    });
    /** What happened, in the order in which it happened. */
    const history = fc.array(fact, { maxLength: 15 }).map((steps) => {
      let at = 0;
      return steps.map(({ what, gapMs, noticed }) => ({ fact: { what, at: (at += gapMs) } satisfies ClockFact, noticed }));
    });

    it('has the same state whenever timers look', () => {
      fc.assert(
        fc.property(history, (steps) => {
          const end = look(steps.at(-1)?.fact.at ?? 0);
          const quiet = story([...steps.map(({ fact }) => fact), end]).clock;
          const watched = story([...steps.flatMap(({ fact, noticed }) => (noticed ? [look(fact.at), fact] : [fact])), end]);
          expect(stateOf(watched.clock)).toBe(stateOf(quiet));
          expect(dueAt(watched.clock)).toBe(dueAt(quiet));
          expect(watched.clock.breachedAt).toBe(quiet.breachedAt);
        }),
      );
    });

    it('announces a breach at most once, and exactly when more than the target has counted', () => {
      fc.assert(
        fc.property(history, fc.nat({ max: 300 }), (steps, restMs) => {
          const end = (steps.at(-1)?.fact.at ?? 0) + restMs;
          const { clock, told } = story([...steps.map(({ fact }) => fact), look(end)]);
          // The slow way: one millisecond after the other.
          let counted = 0;
          for (let at = 0; at < end; at++) {
            const state = steps.filter(({ fact }) => fact.at <= at).reduce((_, { fact }) => fact.what, 'run' as ClockFact['what']);
            if (state === 'run') counted++;
          }
          expect(told.filter((what) => what.startsWith('breached')).length).toBe(counted > 100 ? 1 : 0);
          expect(told.some((what) => what.startsWith('breach_revoked'))).toBe(false);
          if (stateOf(clock) === 'running' && clock.breachedAt === null) expect(nextPoint(clock)!.at).toBeGreaterThan(end);
        }),
      );
    });

    it('comes to the same result when its stop is heard of late', () => {
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 200 }), fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 5 }), (at, looks) => {
          const inTime = stateOf(story([stop(at)]).clock);
          expect(stateOf(story([...looks.sort((a, b) => a - b).map(look), stop(at)]).clock)).toBe(inTime);
        }),
      );
    });
  });
});
