import { createRequire } from 'node:module';
import { expect, it, jest } from '@jest/globals';
import { Kafka } from 'kafkajs';
import { tuneKafkajs } from './kafkajs-tuning.ts';

const require = createRequire(import.meta.url);
const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0') as { RecordBatch: (batch: object) => Promise<{ buffer: Buffer }> };
const Record = require('kafkajs/src/protocol/recordBatch/record/v0') as (record: object) => { buffer: Buffer };
const produce = require('kafkajs/src/protocol/requests/produce/v7/request') as (request: object) => { encode(): Promise<{ buffer: Buffer }> };
const encodeRequest = require('kafkajs/src/protocol/request') as (request: object) => Promise<{ buffer: Buffer }>;
const Encoder = require('kafkajs/src/protocol/encoder') as new () => { writeVarInt(value: number): void; writeVarLong(value: unknown): void; buffer: Buffer };
const Long = require('kafkajs/src/utils/long') as { fromValue(value: number): unknown };
const RequestQueue = require('kafkajs/src/network/requestQueue') as new (options: object) => {
  scheduleCheckPendingRequests(): void;
  pending: unknown[];
  destroy(): void;
};

const messages = [
  { key: 'k', value: 'v' },
  { key: null, value: null },
  { key: Buffer.from([0, 255]), value: '', headers: { 'content-type': 'application/cloudevents+json; charset=UTF-8' } },
  { key: 'ünïcödé', value: '😀'.repeat(40), headers: { a: Buffer.from('1'), b: ['2', '3'], ü: '' } },
  ...[50, 63, 64, 65, 500, 511, 512, 513, 1_000, 5_000, 100_000].map((length) => ({ key: `key-${length}`, value: 'x'.repeat(length) })),
];
const timestamps = [0, 1, 63, 64, 8_191, 8_192, 2 ** 30 - 1, 2 ** 30, 2 ** 31, 2 ** 40];
const numbers = [0, -1, 1, 63, 64, -64, -65, 8_191, 8_192, 2 ** 30 - 1, -(2 ** 30), 2 ** 31 - 1, -(2 ** 31)];

/** Everything that the tuned encoder has a part in. */
async function bytes(): Promise<string[]> {
  const records = messages.flatMap((message, i) => timestamps.map((timestampDelta) => Record({ ...message, offsetDelta: i, timestampDelta })));
  const encoder = new Encoder();
  for (const value of numbers) encoder.writeVarInt(value);
  for (const value of [...numbers, ...timestamps]) encoder.writeVarLong(value);
  for (const value of timestamps) encoder.writeVarLong(Long.fromValue(value));
  const batch = await RecordBatch({ records, firstTimestamp: 1_700_000_000_000, maxTimestamp: 1_700_000_000_001, lastOffsetDelta: records.length - 1 });
  jest.useFakeTimers({ now: 1_700_000_000_000 });
  const topicData = [
    { topic: 'ticket', partitions: [{ partition: 3, firstSequence: 0, messages: messages.map((message) => ({ ...message, partition: 3 })) }] },
  ];
  const request = await encodeRequest({
    correlationId: 1,
    clientId: 'c',
    request: { apiKey: 0, apiVersion: 7, ...produce({ acks: -1, timeout: 1, topicData }) },
  });
  jest.useRealTimers();
  return [...records, encoder, batch, request].map(({ buffer }) => buffer.toString('hex'));
}

it('writes what kafkajs writes, byte for byte, and ends its idle timers', async () => {
  expect(new Kafka({ brokers: ['localhost:9092'] })).toBeDefined();
  const timers = jest.spyOn(globalThis, 'setTimeout');
  const idle = new RequestQueue({});
  const stock = await bytes();
  idle.scheduleCheckPendingRequests();
  expect(timers).toHaveBeenCalledTimes(1);
  idle.destroy();

  tuneKafkajs();
  timers.mockClear();
  expect(await bytes()).toEqual(stock);
  expect(await bytes()).toEqual(stock);

  timers.mockClear();
  const queue = new RequestQueue({});
  queue.scheduleCheckPendingRequests();
  expect(timers).not.toHaveBeenCalled();
  queue.pending.push({});
  queue.scheduleCheckPendingRequests();
  expect(timers).toHaveBeenCalledTimes(1);
  queue.destroy();
  timers.mockRestore();
});
