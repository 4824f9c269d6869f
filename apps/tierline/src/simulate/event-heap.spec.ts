import { describe, expect, it } from '@jest/globals';
import { EventHeap } from './event-heap.ts';
import { Random } from './random.ts';

describe('EventHeap', () => {
  it('gives events by time, and those of one time in the order they were put in', () => {
    const heap = new EventHeap();
    const random = new Random(1);
    const expected: { at: number; what: number }[] = [];
    // Few times, so that many are equal; more events than it first has room for.
    for (let what = 0; what < 3000; what++) {
      const at = Math.floor(random.uniform() * 100);
      heap.push(at, what);
      expected.push({ at, what });
    }
    expected.sort((a, b) => a.at - b.at || a.what - b.what);
    const taken: { at: number; what: number }[] = [];
    for (let what = heap.pop(); what !== undefined; what = heap.pop()) taken.push({ at: heap.nowMs, what });
    expect(taken).toEqual(expected);
  });

  it('knows an event again by its number', () => {
    const heap = new EventHeap();
    const late = heap.push(2, 7);
    const soon = heap.push(1, 7);
    heap.pop();
    expect(heap.nowOrder).toBe(soon);
    heap.pop();
    expect(heap.nowOrder).toBe(late);
  });
});
