const TEXT_OID = 25;
const HEADER_BYTES = 20;

/**
 * A `text[]` parameter in PostgreSQL's binary format (src/backend/utils/adt/arrayfuncs.c, array_recv). pg would write it as a literal, with every quote
 * of every JSON escaped here and read again there: 8 µs an event instead of 4. Its parameter must be cast in the statement: `$1::text[]`.
 */
export function textArray(values: readonly string[]): Buffer {
  const lengths = values.map((value) => Buffer.byteLength(value));
  const buffer = Buffer.allocUnsafe(lengths.reduce((sum, length) => sum + 4 + length, HEADER_BYTES));
  buffer.writeInt32BE(values.length > 0 ? 1 : 0, 0); // dimensions
  buffer.writeInt32BE(0, 4); // no nulls
  buffer.writeInt32BE(TEXT_OID, 8);
  buffer.writeInt32BE(values.length, 12);
  buffer.writeInt32BE(1, 16); // lower bound
  let at = HEADER_BYTES;
  for (const [i, value] of values.entries()) {
    at = buffer.writeInt32BE(lengths[i]!, at);
    at += buffer.write(value, at);
  }
  return values.length > 0 ? buffer : buffer.subarray(0, 12);
}
