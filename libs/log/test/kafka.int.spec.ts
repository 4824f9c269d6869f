import { randomUUID } from 'node:crypto';
import { describeWith, eventually, realKafka } from '@tierline/testing';
import { expect } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import { KafkaSource } from '../src/kafka-source.ts';
import { bucketOf } from '../src/bucket.ts';
import { logContract } from './contract.ts';

await describeWith('the log over Kafka', realKafka, (servers) => {
  const brokers = servers.split(',');
  const client = new Kafka({ brokers, logLevel: logLevel.NOTHING });

  logContract(async () => {
    const topicPrefix = `${randomUUID()}.`;
    return {
      backlogBatches: 8,
      source: (log, leases) => new KafkaSource(log, leases, { brokers, topicPrefix }),
      async inject(_, topic, payload) {
        const producer = client.producer();
        await producer.connect();
        await producer.send({ topic: topicPrefix + topic, messages: [{ key: 'k', partition: bucketOf('k'), value: payload }] });
        await producer.disconnect();
      },
      async deliverAgain(log, topic, bucket, after) {
        const isShipped = async (): Promise<void> => {
          const [row] = await log.dataSource.query<{ pos: string; last: string }[]>(
            `SELECT pos, next - 1 AS last FROM ${log.schema}.relay_position JOIN ${log.schema}.log_head USING (topic, bucket) WHERE topic = $1 AND bucket = $2`,
            [topic, bucket],
          );
          expect(row!.pos).toBe(row!.last);
        };
        await eventually(isShipped);
        await log.dataSource.query(`UPDATE ${log.schema}.relay_position SET pos = $3 WHERE topic = $1 AND bucket = $2`, [topic, bucket, after]);
        await eventually(isShipped);
      },
      // Kafka moves partitions by itself when a second member joins.
      disown: async () => undefined,
    };
  });
});
