import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BUCKETS, bucketOf, murmur2 } from './bucket.ts';

const kafkajsMurmur2 = createRequire(import.meta.url)('kafkajs/src/producer/partitioners/default/murmur2') as (key: Buffer) => number;

describe('murmur2', () => {
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])("hashes %s as the Kafka project's own test does (UtilsTest#testMurmur2)", (text, hash) => {
    expect(murmur2(text)).toBe(hash);
  });

  it('agrees with kafkajs on any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        expect(murmur2(text)).toBe(kafkajsMurmur2(Buffer.from(text)) | 0);
      }),
    );
  });
});

describe('bucketOf', () => {
  it('uses every bucket, and no other', () => {
    const used = new Set(Array.from({ length: 500 }, (_, i) => bucketOf(`key-${i}`)));
    expect([...used].sort()).toEqual(Array.from({ length: BUCKETS }, (_, bucket) => bucket));
  });

  it('is never negative, although the hash may be', () => {
    expect(murmur2('21')).toBeLessThan(0);
    expect(bucketOf('21')).toBe((-973932308 & 0x7fffffff) % BUCKETS);
  });
});
