import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { IdIndex } from './id-index.ts';

it('finds what a map would, however ids come and go', () => {
  // More steps than slots at first, of few ids, so that they meet and the index grows.
  const steps = fc.array(fc.nat({ max: 300 }), { maxLength: 600, size: 'max' });
  fc.assert(
    fc.property(steps, (given) => {
      const ids: string[] = [];
      const index = new IdIndex(ids);
      const map = new Map<string, number>();
      for (const n of given) {
        const id = `id ${n}`;
        if (map.has(id)) {
          index.remove(id);
          map.delete(id);
        } else {
          map.set(id, ids.push(id) - 1);
          index.add(ids.length - 1);
        }
        for (const other of [id, `id ${n + 1}`]) expect(index.find(other)).toBe(map.get(other) ?? -1);
      }
      for (const [id, number] of map) expect(index.find(id)).toBe(number);
    }),
    { numRuns: 50 },
  );
});
