import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { groupByType } from './group-by-type.ts';

const event = fc.record({ type: fc.constantFrom('opened', 'replied', 'changed'), key: fc.constantFrom('a', 'b', 'c', 'd', 'e') });
const numberedEvents = fc.array(event, { maxLength: 60 }).map((events) => events.map((one, n) => ({ ...one, n })));

describe('groupByType', () => {
  it('puts what may be handled together into one run, whatever lies between', () => {
    const runs = groupByType([
      { type: 'opened', key: 'a' },
      { type: 'replied', key: 'b' },
      { type: 'opened', key: 'c' },
      { type: 'replied', key: 'a' },
    ]);
    expect(runs.map(({ type, events }) => `${type} ${events.map(({ key }) => key).join('')}`)).toEqual(['opened ac', 'replied ba']);
  });

  it('keeps the order of each key, and every event once', () => {
    fc.assert(
      fc.property(numberedEvents, (events) => {
        const handled = groupByType(events).flatMap((run) => run.events);
        expect(handled).toHaveLength(events.length);
        for (const key of 'abcde') {
          expect(handled.filter((one) => one.key === key)).toEqual(events.filter((one) => one.key === key));
        }
      }),
    );
  });

  it('gives runs of one type each, never more of them than there are changes of type', () => {
    fc.assert(
      fc.property(numberedEvents, (events) => {
        const runs = groupByType(events);
        for (const { type, events: inRun } of runs) expect(new Set(inRun.map((one) => one.type))).toEqual(new Set([type]));
        expect(runs.length).toBeLessThanOrEqual(events.filter((one, i) => one.type !== events[i - 1]?.type).length);
      }),
    );
  });
});
