import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Heap, type Heaped } from './heap.ts';

interface Item extends Heaped {
  value: number;
  id: number;
}

it('holds what a sorted list would, however items come and go', () => {
  const step = fc.oneof(
    fc.record({ push: fc.integer({ min: 0, max: 20 }) }),
    fc.record({ remove: fc.nat() }),
    fc.record({ skip: fc.integer({ min: 1, max: 4 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const heap = new Heap<Item>((a, b) => a.value < b.value || (a.value === b.value && a.id < b.id));
      const sorted: Item[] = [];
      steps.forEach((given, id) => {
        if ('push' in given) {
          const item = { value: given.push, id, heapIndex: -1 };
          heap.push(item);
          sorted.push(item);
          sorted.sort((a, b) => a.value - b.value || a.id - b.id);
        } else if ('remove' in given) {
          const [item] = sorted.splice(given.remove % (sorted.length || 1), 1);
          if (item) heap.remove(item);
          expect(item?.heapIndex ?? -1).toBe(-1);
        } else {
          const isWanted = ({ value }: Item): boolean => value % given.skip === 0;
          expect(heap.first(isWanted)).toBe(sorted.find(isWanted));
        }
        expect(heap.size).toBe(sorted.length);
        expect(heap.first(() => true)).toBe(sorted[0]);
      });
    }),
  );
});
