import { rm } from 'node:fs/promises';
import { startKafka } from './kafka-cluster.ts';
import type { KafkaCluster } from './kafka-cluster.ts';
import { hasJavaAndMaven } from './kafka-jars.ts';
import { MissingPartError } from './missing-part.ts';
import { sharedPart } from './parts.ts';
import { testFolder } from './test-folder.ts';

/** The brokers, as KAFKA_BROKERS takes them, of the one Kafka of this test run. Topics and groups need names of their own. */
export async function realKafka(): Promise<string> {
  return (await sharedPart<{ brokers: string }>('kafka')).brokers;
}

/** A cluster of one's own, whose brokers may be killed and started again. */
export async function realKafkaCluster(nodeCount: number): Promise<KafkaCluster> {
  await requireJavaAndMaven();
  const dataDir = await testFolder('kafka');
  const cluster = await startKafka({ dataDir, nodeCount });
  return {
    ...cluster,
    async stop() {
      // Nobody reads its data again: no need to hand over leaders, which takes 5 s.
      await Promise.all(cluster.nodes.map((node) => node.kill()));
      await cluster.stop();
      await rm(dataDir, { recursive: true });
    },
  };
}

/** Throws MissingPartError where there is no Java 17 or no Maven. */
export async function requireJavaAndMaven(): Promise<void> {
  if (!(await hasJavaAndMaven())) throw new MissingPartError('Kafka needs Java 17 or later and Maven');
}
