import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { TicketMerged, type Event } from '@tierline/events';
import { describeWith, eventually, freshDatabase, realKafkaCluster } from '@tierline/testing';
import { ConsumerGroup } from '../src/consumer-group.ts';
import { KafkaSource } from '../src/kafka-source.ts';
import { numbered, numberOf, openLog, type OpenLog } from './open-log.ts';

/** A broker is away for 7-22 s, on a machine that does nothing else. */
const RECOVERY = { timeoutMs: 90_000 };

await describeWith(
  'the log over a Kafka of three brokers',
  () => realKafkaCluster(3),
  (cluster) => {
    let database: Awaited<ReturnType<typeof freshDatabase>>;
    let opened: OpenLog;
    let source: KafkaSource;
    let group: ConsumerGroup;
    let writing: Promise<void>;
    let written = 0;
    let isOver = false;
    const handled = new Map<string, number[]>();

    beforeAll(async () => {
      Logger.overrideLogger(false);
      database = await freshDatabase('kafka_cluster');
      opened = await openLog(database.url);
      source = new KafkaSource(opened.log, opened.leases, { brokers: cluster.brokers.split(','), topicPrefix: `${randomUUID()}.` });
      await source.start();
      const record = async (events: Event[]): Promise<void> => {
        for (const event of events) handled.set(event.key, [...(handled.get(event.key) ?? []), numberOf(event)]);
      };
      group = new ConsumerGroup(
        opened.log,
        source,
        { name: 'group', topics: ['ticket'], handlers: new Map([[TicketMerged.type, record]]), replayable: false },
        new Logger('Test'),
      );
      await group.start();
      writing = write();
    }, 60_000);
    afterAll(async () => {
      isOver = true;
      await writing;
      await group.stop();
      await source.stop();
      await opened.close();
      await database.drop();
      await cluster.stop();
      Logger.overrideLogger(true);
    }, 60_000);

    const write = async (): Promise<void> => {
      for (; !isOver; await sleep(5)) {
        await opened.log.transaction('test', async (tx) => {
          for (let key = 0; key < 20; key++) tx.append(TicketMerged, `key-${key}`, numbered(written));
        });
        written++;
      }
    };

    /** Waits until everything written until now has been handled, and sees that it was handled once and in order. */
    const allHandled = async (): Promise<void> => {
      const until = written;
      await eventually(
        () => expect(Math.min(...Array.from({ length: 20 }, (_, key) => handled.get(`key-${key}`)?.length ?? 0))).toBeGreaterThanOrEqual(until),
        RECOVERY,
      );
      for (const numbers of handled.values()) expect(numbers).toEqual(numbers.map((_, n) => n));
    };

    it('loses, doubles and disorders nothing when a broker is killed under load, so that leaders move, and comes back', async () => {
      await allHandled();
      await cluster.nodes[0]!.kill();
      await allHandled();
      await cluster.nodes[0]!.start();
      await allHandled();
      expect(group.holes).toEqual([]);
    }, 240_000);

    it('goes on after all brokers were away at once', async () => {
      await Promise.all(cluster.nodes.map((node) => node.kill()));
      const before = written;
      await eventually(() => expect(written).toBeGreaterThan(before + 20));
      await Promise.all(cluster.nodes.map((node) => node.start()));
      await allHandled();
    }, 240_000);
  },
);
