import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { topics } from '@tierline/events';
import { startPostgres } from '@tierline/service/embedded-postgres';
import { startKafka } from '@tierline/testing/kafka-cluster';
import { readTopics } from '../../libs/log/test/read-topics.ts';
import type { Audit } from './audit.ts';
import { faultProxy, type FaultProxy } from './fault-proxy.ts';
import { killBackend, killPostgres, spoils } from './faults.ts';
import type { Fault, Installation, InstallationOptions } from './installation.ts';
import { pick, shuffled } from './random.ts';
import { ServiceProcess } from './service-process.ts';

/** Every service is a process of its own. */
const SERVICES = ['people', 'tickets', 'routing', 'escalation', 'notify', 'portal', 'email', 'chat', 'phone', 'social'] as const;
/** Those that do nothing but what the log tells them: each is frozen while a second one takes over its work. */
const CONSUMERS = ['tickets', 'routing', 'escalation', 'notify'] as const;
/** The services are killed in so many groups, of one, two, three … at once. */
const GROUPS = 4;
/** Longer than the session of a consumer, which is 10 s, and than a lease. */
const FROZEN_MS = 11_000;
const FROZEN_MORE_MS = 3_000;
const MAX_CONNECTIONS = '500';
const TOPIC_PREFIX = 'tierline.';

/** Every service as its own process, over a PostgreSQL and an Apache Kafka of so many brokers, with a proxy before each of them. */
export async function startOverKafka({ folder, adminToken, secret, note, onExit, progress }: InstallationOptions, brokerCount: number): Promise<Installation> {
  progress('PostgreSQL');
  const postgresDir = join(folder, 'postgres');
  const postgres = await startPostgres({ dataDir: postgresDir, settings: { max_connections: MAX_CONNECTIONS } });
  onExit(() => postgres.stop());
  const databaseUrl = (): string => postgres.url;
  const database = await faultProxy(() => Number(new URL(postgres.url).port));

  progress(`Apache Kafka with ${brokerCount === 1 ? 'one broker' : `${brokerCount} brokers`}`);
  const fronts: FaultProxy[] = [];
  const kafka = await startKafka({
    dataDir: join(folder, 'kafka'),
    nodeCount: brokerCount,
    async front(port) {
      fronts.push(await faultProxy(() => port));
      return fronts.at(-1)!.port;
    },
  });
  onExit(async () => {
    // Nobody reads its data again: no need to hand over leaders, which takes 5 s.
    await Promise.all(kafka.nodes.map((node) => node.kill()));
    await kafka.stop();
  });

  progress(`${SERVICES.length} services, a process each`);
  const processes: ServiceProcess[] = [];
  const turns = new Map<string, number>();
  /** The processes of a service take turns, as behind a balancer. */
  const next = (service: string): ServiceProcess | undefined => {
    const up = processes.filter(({ name, isUp }) => name === service && isUp);
    const turn = turns.get(service) ?? 0;
    turns.set(service, turn + 1);
    return up[turn % up.length];
  };
  const doors = new Map<string, FaultProxy>();
  for (const service of SERVICES) doors.set(service, await faultProxy(() => next(service)?.httpPort ?? 0));
  const smtp = await faultProxy(() => next('email')?.smtpPort ?? 0);
  const urlOf = (service: string): string => `http://127.0.0.1:${doors.get(service)!.port}`;
  onExit(async () => {
    await Promise.all(processes.map((running) => running.end('SIGKILL')));
    await Promise.all([...doors.values(), ...fronts, smtp, database].map((proxy) => proxy.stop()));
  });

  await mkdir(join(folder, 'tierline'));
  const proxied = Object.assign(new URL(postgres.url), { port: String(database.port) });
  const begin = async (service: string, instance = ''): Promise<ServiceProcess> => {
    const begun = new ServiceProcess(service, {
      args: [join(import.meta.dirname, '../apps', service, 'main.js')],
      env: {
        DATABASE_URL: proxied.href,
        KAFKA_BROKERS: kafka.brokers,
        KAFKA_TOPIC_PREFIX: TOPIC_PREFIX,
        TIERLINE_DATA: join(folder, 'tierline'),
        TIERLINE_ADMIN_TOKEN: adminToken,
        TIERLINE_SECRET: secret,
        HOST: '127.0.0.1',
        PUBLIC_URL: urlOf(service),
      },
      logFile: join(folder, `${service}${instance}.log`),
    });
    processes.push(begun);
    await begun.start();
    return begun;
  };
  await Promise.all(SERVICES.map((service) => begin(service)));

  const killServices = (names: readonly string[]): Fault => ({
    name: `kill -9 ${names.join(', ')}`,
    async strike() {
      const victims = processes.filter(({ name }) => names.includes(name));
      for (const victim of victims) {
        note(victim.name, true);
        victim.kill();
      }
      await Promise.all(victims.map((victim) => victim.start()));
    },
  });

  const killBroker = (random: () => number): Fault => {
    const node = pick(random, kafka.nodes);
    return {
      name: brokerCount === 1 ? 'kill -9 Kafka' : `kill -9 one broker of ${brokerCount}`,
      async strike() {
        note(brokerCount === 1 ? 'kafka' : 'kafkaBroker', true);
        await node.kill();
        await node.start();
      },
    };
  };

  const freeze = (service: string, random: () => number): Fault => ({
    name: `freeze ${service} beyond its lease, with another one there`,
    async strike() {
      const first = processes.find(({ name }) => name === service)!;
      const second = await begin(service, '-2');
      note('zombie');
      first.freeze();
      // As a balancer does with a server that does not answer.
      doors.get(service)!.cut();
      await sleep(FROZEN_MS + random() * FROZEN_MORE_MS);
      first.thaw();
      await sleep(random() * FROZEN_MORE_MS);
      note(service, true);
      second.kill();
      processes.splice(processes.indexOf(second), 1);
    },
  });

  return {
    where: `${SERVICES.length} processes, Apache Kafka with ${brokerCount === 1 ? 'one broker' : `${brokerCount} brokers`}, PostgreSQL`,
    processes,
    smtpPort: smtp.port,
    urlOf,
    databaseUrl,
    round: (random) =>
      shuffled(random, [
        ...inGroups(shuffled(random, SERVICES)).map(killServices),
        killPostgres(postgresDir, databaseUrl, note),
        killBackend(databaseUrl, random, note),
        killBroker(random),
        freeze(pick(random, CONSUMERS), random),
        ...spoils('doors', [...doors.values(), smtp], note),
        ...spoils('database', [database], note),
        ...spoils('kafka', fronts, note),
      ]),
    auditMore: (audit) => auditTopics(audit, kafka.brokers),
  };
}

/** What every log holds has to be in the topics, in the order of its positions, however often the relay had to begin again. */
async function auditTopics(audit: Audit, brokers: string): Promise<void> {
  await readTopics(
    brokers,
    topics.map((topic) => TOPIC_PREFIX + topic),
    ({ topic, ...record }) => audit.shipped({ ...record, log: record.source, topic: topic.slice(TOPIC_PREFIX.length) }),
  );
}

/** Groups of one, two, three … of the items; the last takes what is left. */
function inGroups<T>(items: readonly T[]): T[][] {
  let taken = 0;
  return Array.from({ length: GROUPS }, (_, index) => {
    const group = items.slice(taken, index === GROUPS - 1 ? undefined : taken + index + 1);
    taken += group.length;
    return group;
  });
}
