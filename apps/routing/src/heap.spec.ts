import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Heap } from './heap.ts';

it('holds what a sorted list would, however items come and go', () => {
  const step = fc.oneof(
    fc.record({ push: fc.integer({ min: 0, max: 20 }) }),
    fc.record({ remove: fc.nat() }),
    fc.record({ skip: fc.integer({ min: 1, max: 4 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const items = { ids: steps.map((_, item) => `item ${item}`), places: new Int32Array(steps.length).fill(-1) };
      const heap = new Heap(items);
      const sorted: { item: number; key: number }[] = [];
      steps.forEach((given, item) => {
        if ('push' in given) {
          heap.push(item, given.push);
          sorted.push({ item, key: given.push });
          sorted.sort((a, b) => a.key - b.key || (items.ids[a.item]! < items.ids[b.item]! ? -1 : 1));
        } else if ('remove' in given) {
          const [gone] = sorted.splice(given.remove % (sorted.length || 1), 1);
          if (gone) heap.remove(gone.item);
          expect(gone ? items.places[gone.item] : -1).toBe(-1);
        } else {
          const isWanted = (one: number): boolean => one % given.skip === 0;
          expect(heap.first(isWanted)).toBe(sorted.find((one) => isWanted(one.item))?.item ?? -1);
        }
        expect([...heap].sort()).toEqual(sorted.map((one) => one.item).sort());
        expect(heap.firstKey).toBe(sorted[0]?.key ?? Number.POSITIVE_INFINITY);
        expect(heap.first(() => true)).toBe(sorted[0]?.item ?? -1);
        for (const one of sorted) expect(heap.keyOf(one.item)).toBe(one.key);
      });
    }),
  );
});
