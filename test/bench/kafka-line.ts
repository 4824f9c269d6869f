import { join } from 'node:path';
import { freePort } from '@tierline/service/free-port';
import { startProcess } from '@tierline/service';
import { startKafka } from '@tierline/testing/kafka-cluster';
import { portalService } from '@tierline/portal';
import pg from 'pg';
import { allServices } from '../../apps/tierline/src/services.ts';
import { BareKafkaLine } from './bare-kafka.ts';
import { latency, median, rate, type Benchmark } from './figure.ts';
import { commitLatencies, configure, handIn, pace, untilDone } from './line.ts';
import { startServer, type Server } from './server.ts';
import { ADMIN_TOKEN, SECRET, settings } from './settings.ts';

const CONTACTS = 20_000;
const WARM_UP = 3_000;
const PACED_PER_SECOND = 1_000;
const PACED_SECONDS = 8;

/** The whole line over a real Apache Kafka, every service its own process; the portal's is this one, so that contacts can be handed in at its door. */
export const kafkaLine: Benchmark = async (bench) => {
  const kafka = await startKafka({ dataDir: join(bench.dataDir, 'kafka'), port: await freePort() });
  const throughputs: number[] = [];
  const paced: { p50: number; p99: number }[] = [];
  const bares: { perSecond: number; p50: number }[] = [];
  try {
    for (let run = 0; run < bench.runs; run++) {
      const url = await bench.database(`kafka${run}`);
      const env = {
        DATABASE_URL: url,
        KAFKA_BROKERS: kafka.brokers,
        KAFKA_TOPIC_PREFIX: `bench${run}.`,
        TIERLINE_DATA: bench.dataDir,
        TIERLINE_ADMIN_TOKEN: ADMIN_TOKEN,
        TIERLINE_SECRET: SECRET,
      };
      const servers = new Map<string, Server>();
      for (const { name } of allServices) if (name !== 'portal') servers.set(name, await startServer(name, await freePort(), env));
      const portal = await startProcess(
        [portalService],
        settings(url, bench.dataDir, { KAFKA_BROKERS: env.KAFKA_BROKERS, KAFKA_TOPIC_PREFIX: env.KAFKA_TOPIC_PREFIX }),
      );
      const database = new pg.Client({ connectionString: url });
      await database.connect();
      await configure((service) => servers.get(service)!.url);
      await handIn(portal, WARM_UP);
      await untilDone(database, WARM_UP, 'services');
      const start = performance.now();
      await handIn(portal, CONTACTS);
      await untilDone(database, WARM_UP + CONTACTS, 'services');
      throughputs.push((CONTACTS / (performance.now() - start)) * 1000);
      const sentAt = await pace(portal, PACED_PER_SECOND, PACED_SECONDS);
      await untilDone(database, WARM_UP + CONTACTS + sentAt.size, 'services');
      paced.push(await commitLatencies(database, sentAt, 'clocked', 'services'));
      bench.progress(
        `kafka line: run ${run + 1} of ${bench.runs}, ${Math.round(throughputs.at(-1)!)}/s, at ${PACED_PER_SECOND}/s p50 ${paced.at(-1)!.p50.toFixed(1)} ms`,
      );
      await database.end();
      await portal.stop();
      await Promise.all([...servers.values()].map((server) => server.stop()));
      bares.push(await bareFigures(await bench.database(`barekafka${run}`), kafka.brokers, `bare${run}.`));
    }
  } finally {
    await kafka.stop();
  }
  return [
    rate('the same over Kafka, a process each', median(throughputs), 4_000, median(bares.map(({ perSecond }) => perSecond))),
    latency(`over Kafka at ${PACED_PER_SECOND}/s, p50`, median(paced.map(({ p50 }) => p50)), 80, median(bares.map(({ p50 }) => p50)), {
      p99Ms: median(paced.map(({ p99 }) => p99)),
    }),
  ];
};

async function bareFigures(url: string, brokers: string, prefix: string): Promise<{ perSecond: number; p50: number }> {
  const line = new BareKafkaLine(url, brokers.split(','), prefix);
  await line.start();
  await line.throughput(WARM_UP);
  const perSecond = await line.throughput(CONTACTS);
  const p50 = await line.p50(PACED_PER_SECOND, PACED_SECONDS);
  await line.stop();
  return { perSecond, p50 };
}
