import { randomUUID } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import { describeWith } from './describe-with.ts';
import { eventually } from './eventually.ts';
import { realKafka } from './real-kafka.ts';

await describeWith('a real Kafka', realKafka, (brokers) => {
  const topic = `roundtrip-${randomUUID()}`;
  const kafka = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING });

  it('is shared by the test run', async () => {
    expect(await realKafka()).toBe(brokers);
  });

  it('does not make topics that nobody asked for', async () => {
    const producer = kafka.producer({ retry: { retries: 0 } });
    await producer.connect();
    await expect(producer.send({ topic: `missing-${randomUUID()}`, messages: [{ value: '' }] })).rejects.toThrow('does not host this topic-partition');
    await producer.disconnect();
  });

  it('gives back what was sent to it', async () => {
    const admin = kafka.admin();
    await admin.connect();
    // Right after it is made, a broker may not know the topic yet, which kafkajs does not wait for.
    await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: false });
    await eventually(() => admin.fetchTopicMetadata({ topics: [topic] }));
    await admin.disconnect();
    const producer = kafka.producer();
    await producer.connect();
    await producer.send({ topic, acks: -1, messages: [{ key: 'k', value: 'v' }] });
    await producer.disconnect();
    const consumer = kafka.consumer({ groupId: topic });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    const received = await new Promise((resolve) => {
      void consumer.run({ eachMessage: async ({ message }) => resolve([message.key?.toString(), message.value?.toString()]) });
    });
    expect(received).toEqual(['k', 'v']);
    await consumer.disconnect();
  });
});
