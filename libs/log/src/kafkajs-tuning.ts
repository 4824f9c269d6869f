import { createRequire } from 'node:module';

/** What of kafkajs is changed, as its sources have it. */
interface Encoder {
  buf: Buffer;
  offset: number;
  ensureAvailable(bytes: number): void;
  writeUVarInt(value: number): Encoder;
  writeVarLong(value: unknown): Encoder;
}
interface EncoderClass {
  prototype: Encoder;
  nextPowerOfTwo: (this: void, value: number) => number;
  sizeOfVarInt(value: number): number;
  sizeOfVarLong: (this: void, value: unknown) => number;
}
interface RequestQueue {
  pending: readonly unknown[];
  scheduleCheckPendingRequests(): void;
}

/** The only release that this was written for, and the last one that there is. */
const VERSION = '2.2.4';
/** What an encoder asks for when it begins; each record and each header has one. */
const INITIAL_BYTES = 511;
const SMALLEST_BYTES = 64;
/** Below it a zigzag number fits into 31 bits, and is encoded alike as a 32-bit and a 64-bit number. */
const SMALL = 2 ** 30;
const SEVEN_BITS = 0x7f;
const MORE_FOLLOWS = 0x80;

let isTuned = false;

/**
 * Mends what costs kafkajs 2.2.4 most of its time, without a change of what it does: half the CPU of a produced message, and a timer of 1 ms that every
 * connection runs for ever, also after it is closed (https://github.com/tulios/kafkajs/issues/1751). Leaves any other release as it is.
 */
export function tuneKafkajs(): void {
  if (isTuned) return;
  isTuned = true;
  const require = createRequire(import.meta.url);
  if ((require('kafkajs/package.json') as { version: string }).version !== VERSION) return;
  tuneEncoder(require('kafkajs/src/protocol/encoder') as EncoderClass);
  tuneRequestQueue((require('kafkajs/src/network/requestQueue') as { prototype: RequestQueue }).prototype);
}

/** The queue looks again when a request is put into it or answered; while it is empty there is nothing to look for. */
function tuneRequestQueue(queue: RequestQueue): void {
  const schedule = Reflect.get<RequestQueue, 'scheduleCheckPendingRequests'>(queue, 'scheduleCheckPendingRequests');
  queue.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.pending.length > 0) schedule.call(this);
  };
}

/** Every record and every header began with 512 zeroed bytes of its own, and each number in it was an array and a buffer. */
function tuneEncoder(encoder: EncoderClass): void {
  const { nextPowerOfTwo, sizeOfVarLong } = encoder;
  const writeVarLong = Reflect.get<Encoder, 'writeVarLong'>(encoder.prototype, 'writeVarLong');
  const isSmall = (value: unknown): value is number => typeof value === 'number' && value >= 0 && value < SMALL;

  encoder.nextPowerOfTwo = (value) => (value === INITIAL_BYTES ? 0 : nextPowerOfTwo(value));
  encoder.sizeOfVarLong = (value) => (isSmall(value) ? encoder.sizeOfVarInt(value) : sizeOfVarLong(value));

  encoder.prototype.ensureAvailable = function (bytes) {
    if (this.offset + bytes <= this.buf.length) return;
    // From the pool, and not zeroed: everything up to the offset is written.
    const grown = Buffer.allocUnsafe(Math.max(SMALLEST_BYTES, nextPowerOfTwo(this.offset + bytes)));
    this.buf.copy(grown, 0, 0, this.offset);
    this.buf = grown;
  };
  encoder.prototype.writeUVarInt = function (value) {
    this.ensureAvailable(5);
    let rest = value;
    for (; (rest & ~SEVEN_BITS) !== 0; rest >>>= 7) this.buf[this.offset++] = (rest & SEVEN_BITS) | MORE_FOLLOWS;
    this.buf[this.offset++] = rest;
    return this;
  };
  encoder.prototype.writeVarLong = function (value) {
    return isSmall(value) ? this.writeUVarInt(value * 2) : writeVarLong.call(this, value);
  };
}
