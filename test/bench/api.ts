import { randomUUID } from 'node:crypto';
import { freePort } from '@tierline/service/free-port';
import pg from 'pg';
import { median, medianOf, rate, type Benchmark } from './figure.ts';
import { bareApi } from './bare-doors.ts';
import { configure, untilDone } from './line.ts';
import { client, startServer } from './server.ts';
import { ADMIN_TOKEN, SECRET } from './settings.ts';

const CONTACTS = 15_000;
const CONNECTIONS = 64;
const WARM_UP = 1_000;

/** The intake API from outside: new customers over keep-alive connections, until each is routed and clocked. The server is its own process. */
export const api: Benchmark = async (bench) => {
  const acknowledged: number[] = [];
  const bares: number[] = [];
  const through = await medianOf(bench, 'intake API', async (run) => {
    const url = await bench.database(`api${run}`);
    const server = await startServer('tierline', await freePort(), {
      DATABASE_URL: url,
      TIERLINE_DATA: bench.dataDir,
      TIERLINE_ADMIN_TOKEN: ADMIN_TOKEN,
      TIERLINE_SECRET: SECRET,
    });
    const database = new pg.Client({ connectionString: url });
    await database.connect();
    try {
      await configure(server.url);
      await send(server.url, WARM_UP);
      await untilDone(database, WARM_UP);
      const start = performance.now();
      await send(server.url, CONTACTS);
      acknowledged.push((CONTACTS / (performance.now() - start)) * 1000);
      await untilDone(database, WARM_UP + CONTACTS);
      return (CONTACTS / (performance.now() - start)) * 1000;
    } finally {
      await database.end();
      await server.stop();
      bares.push(await bareRate(await bench.database(`bareapi${run}`)));
    }
  });
  return [
    rate('intake API, new customers, routed and clocked', through, 3_000, median(bares)),
    rate('  acknowledged over HTTP', median(acknowledged), 3_000, median(bares)),
  ];
};

async function bareRate(database: string): Promise<number> {
  const api = await bareApi(database);
  await send(api.url, WARM_UP);
  const start = performance.now();
  await send(api.url, CONTACTS);
  const perSecond = (CONTACTS / (performance.now() - start)) * 1000;
  await api.close();
  return perSecond;
}

async function send(url: string, contacts: number): Promise<void> {
  const post = client(CONNECTIONS);
  let left = contacts;
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      while (left-- > 0) {
        const body = JSON.stringify({
          from: { type: 'email', value: `${randomUUID()}@example.net`, verified: true },
          subject: 'Router keeps crashing',
          text: 'Since the update my router shows an error every evening.',
        });
        const { status } = await post(`${url}/portal/v1/contacts`, { authorization: `Bearer ${ADMIN_TOKEN}`, 'idempotency-key': randomUUID() }, body);
        if (status !== 202) throw new Error(`the intake API answered ${status}`);
      }
    }),
  );
}
