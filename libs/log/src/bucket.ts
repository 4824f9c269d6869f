/** Buckets of a topic: fixed for the life of a topic version and equal to the Kafka partition count, so that bucket = partition. */
export const BUCKETS = 8;

/** murmur2 as Kafka's own clients compute it (org.apache.kafka.common.utils.Utils#murmur2), over UTF-8 bytes; a signed 32-bit number. */
export function murmur2(text: string): number {
  const data = Buffer.from(text, 'utf8');
  const length = data.length;
  const m = 0x5bd1e995;
  let h = 0x9747b28c ^ length;
  const blocks = length >> 2;
  for (let i = 0; i < blocks; i++) {
    let k = Math.imul(data.readInt32LE(i << 2), m);
    k ^= k >>> 24;
    h = Math.imul(h, m) ^ Math.imul(k, m);
  }
  const tail = blocks << 2;
  switch (length & 3) {
    case 3:
      h ^= data[tail + 2]! << 16;
    // falls through: the tail bytes are mixed together, as in the original
    case 2:
      h ^= data[tail + 1]! << 8;
    // falls through
    case 1:
      h = Math.imul(h ^ data[tail]!, m);
  }
  h = Math.imul(h ^ (h >>> 13), m);
  return h ^ (h >>> 15);
}

/** The bucket of a key: what Kafka's default partitioner would choose for `buckets` partitions. */
export function bucketOf(key: string, buckets: number = BUCKETS): number {
  return (murmur2(key) & 0x7fffffff) % buckets;
}
