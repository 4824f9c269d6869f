import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { ClockDue, newId, type Event } from '@tierline/events';
import { decodeEvent, Wakeup, type Leases } from '@tierline/log';
import { eventually, freshDatabase, type FreshDatabase } from '@tierline/testing';
import fc from 'fast-check';
import pg from 'pg';
import { openTimers, type OpenTimers } from '../test/open-timers.ts';

/** A worker with these believes that it is alone. */
const always = { holds: () => true, release: () => Promise.resolve() } as unknown as Leases;

type Due = Event<'clock.due', { clockId: string; ticketId: string; epoch: number }>;

describe('timers', () => {
  let database: FreshDatabase;
  let main: OpenTimers;
  let others: { close(): Promise<unknown> }[] = [];

  beforeAll(() => {
    Logger.overrideLogger(false);
  });
  beforeEach(async () => {
    database = await freshDatabase('timers');
    main = await openTimers(database.url);
    others = [];
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await Promise.all([main, ...others].map((open) => open.close()));
    await database.drop();
  });
  afterAll(() => {
    Logger.overrideLogger(['warn', 'error']);
  });

  const another = async (leases?: Leases): Promise<OpenTimers> => {
    const opened = await openTimers(database.url, leases);
    others.push(opened);
    return opened;
  };

  /** Arms `clock.due` events, told apart by `epoch`; due so many ms from now. */
  const arm = (timers: { name?: string; key?: string; epoch: number; inMs: number }[], on = main): Promise<Date[]> =>
    on.log.transaction('test', async (tx) => {
      const now = await tx.now();
      return timers.map(({ name, key, epoch, inMs }) => {
        const ticketId = key ?? newId();
        const dueAt = new Date(now.getTime() + inMs);
        on.timers.arm(tx, {
          name: name ?? `test:${epoch}`,
          dueAt,
          definition: ClockDue,
          key: ticketId,
          data: { clockId: ticketId, ticketId, metric: 'resolution', point: 'breach', epoch },
        });
        return dueAt;
      });
    });
  const cancel = (name: string): Promise<void> => main.log.transaction('test', async (tx) => main.timers.cancel(tx, name));

  /** What has fired: in order per key. */
  const fired = async (): Promise<Due[]> => {
    const rows = await main.dataSource.query<{ payload: string }[]>(`SELECT payload FROM log.event_log ORDER BY topic, bucket, pos`);
    return rows.map(({ payload }) => decodeEvent(payload) as Due);
  };
  const epochs = async (): Promise<number[]> => (await fired()).map(({ data }) => data.epoch).sort((a, b) => a - b);
  const pending = async (): Promise<number> => (await main.dataSource.query<unknown[]>('SELECT 1 FROM log.timer')).length;
  const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

  it.each([3_600_000, -3_600_000])('never fires early by the clock of the database, though this machine is %d ms off', async (offMs) => {
    const dueAt = await arm(numbers(20).map((epoch) => ({ epoch, inMs: 10 * epoch })));
    const now = Date.now.bind(Date);
    jest.spyOn(Date, 'now').mockImplementation(() => now() + offMs);
    main.timers.start();
    await eventually(async () => expect(await epochs()).toEqual(numbers(20)));
    for (const { time, data } of await fired()) expect(Date.parse(time)).toBeGreaterThanOrEqual(dueAt[data.epoch]!.getTime());
  });

  it('fires what came due while nobody was there, each key in the order of its due times', async () => {
    const keys = numbers(7).map(() => newId());
    const timers = numbers(1300).map((epoch) => ({ epoch, key: keys[epoch % 7]!, inMs: -1 - ((epoch * 7919) % 100_003) }));
    await arm(timers);
    main.timers.start();
    await eventually(async () => expect(await epochs()).toEqual(numbers(1300)));
    const events = await fired();
    for (const key of keys) {
      const dues = events.filter((event) => event.key === key).map(({ data }) => timers[data.epoch]!.inMs);
      expect(dues).toEqual(dues.toSorted((a, b) => a - b));
    }
  });

  it('moves a timer that is armed again, and forgets a cancelled one', async () => {
    await arm([
      { name: 'later', epoch: 1, inMs: 5 },
      { name: 'sooner', epoch: 2, inMs: 3_600_000 },
      { name: 'gone', epoch: 3, inMs: 5 },
    ]);
    await arm([
      { name: 'later', epoch: 4, inMs: 3_600_000 },
      { name: 'sooner', epoch: 5, inMs: 5 },
    ]);
    await cancel('gone');
    main.timers.start();
    await arm([{ epoch: 6, inMs: 20 }]);
    await eventually(async () => expect(await epochs()).toEqual([5, 6]));
    expect(await pending()).toBe(1);
  });

  it('does what was said last within one transaction', async () => {
    await main.log.transaction('test', async (tx) => {
      const timer = (epoch: number): Parameters<typeof main.timers.arm<typeof ClockDue>>[1] => {
        const id = newId();
        return {
          name: 'one',
          dueAt: new Date(0),
          definition: ClockDue,
          key: id,
          data: { clockId: id, ticketId: id, metric: 'resolution', point: 'breach', epoch },
        };
      };
      main.timers.arm(tx, timer(1));
      main.timers.cancel(tx, 'one');
      main.timers.arm(tx, timer(2));
      await Promise.resolve();
    });
    main.timers.start();
    await eventually(async () => expect(await epochs()).toEqual([2]));
  });

  it('arms nothing when the transaction fails', async () => {
    const failing = main.log.transaction('test', async (tx) => {
      const id = newId();
      main.timers.arm(tx, {
        name: 'never',
        dueAt: new Date(0),
        definition: ClockDue,
        key: id,
        data: { clockId: id, ticketId: id, metric: 'resolution', point: 'breach', epoch: 1 },
      });
      await Promise.reject(new Error('no'));
    });
    await expect(failing).rejects.toThrow('no');
    expect(await pending()).toBe(0);
  });

  it('refuses data that does not fit its event where it is armed', async () => {
    await expect(arm([{ epoch: -1, inMs: 0 }])).rejects.toThrow('epoch');
    expect(await pending()).toBe(0);
  });

  it('gives two timers of one cause events of their own', async () => {
    const cause = newId();
    await main.log.transaction('test', async (tx) => {
      for (const [epoch, inMs] of [0, 60].entries()) {
        const data = { clockId: cause, ticketId: cause, metric: 'resolution' as const, point: 'breach' as const, epoch };
        main.timers.arm(tx, {
          name: `of-one-cause:${epoch}`,
          dueAt: new Date((await tx.now()).getTime() + inMs),
          definition: ClockDue,
          key: cause,
          data,
          causedBy: { id: cause },
        });
      }
    });
    main.timers.start();
    const events = await eventually(async () => {
      const all = await fired();
      return all.length === 2 && all;
    });
    expect(events.map(({ causationId }) => causationId)).toEqual([cause, cause]);
    expect(events[0]!.id).not.toBe(events[1]!.id);
  });

  it('lets a timer that this release does not know wait, and fires the others', async () => {
    await main.dataSource.query(
      `INSERT INTO log.timer (name, due_at, type, version, key, data) VALUES ('new', now() - interval '1 day', 'future.happened', 1, 'k', '{}')`,
    );
    await arm([{ epoch: 1, inMs: -5 }]);
    main.timers.start();
    await eventually(async () => expect(await epochs()).toEqual([1]));
    expect(await pending()).toBe(1);
  });

  it('is woken by a timer that is due before the one it sleeps for', async () => {
    // Nothing ends a long sleep here but being woken.
    const wait = Wakeup.prototype.wait;
    jest.spyOn(Wakeup.prototype, 'wait').mockImplementation(function (this: Wakeup, maxMs: number) {
      return wait.call(this, maxMs >= 250 ? 3_600_000 : maxMs);
    });
    main.timers.start();
    await arm([{ epoch: 0, inMs: 3_600_000 }]);
    for (const epoch of [1, 2, 3]) {
      await arm([{ epoch, inMs: 15 }]);
      await eventually(async () => expect(await epochs()).toContain(epoch));
    }
  });

  it('fires again what a crash between delete and commit took back', async () => {
    await arm(numbers(30).map((epoch) => ({ epoch, inMs: -1 })));
    const transaction = main.log.transaction.bind(main.log);
    let crashes = 0;
    jest.spyOn(main.log, 'transaction').mockImplementation((service, work) =>
      transaction(service, async (tx) => {
        const result = await work(tx);
        if (crashes++ < 2) throw new Error('crash');
        return result;
      }),
    );
    main.timers.start();
    await eventually(async () => expect(await epochs()).toEqual(numbers(30)));
    expect(crashes).toBeGreaterThan(2);
    expect(await pending()).toBe(0);
  });

  it('fires each once though two workers believe they are alone', async () => {
    const workers = [await another(always), await another(always)];
    await arm(numbers(2000).map((epoch) => ({ epoch, inMs: epoch % 50 })));
    for (const worker of workers) worker.timers.start();
    await eventually(async () => expect(await pending()).toBe(0));
    expect(await epochs()).toEqual(numbers(2000));
  });

  it('fires each once though connections are cut all the time', async () => {
    const second = await another();
    await arm(numbers(1000).map((epoch) => ({ epoch, inMs: epoch })));
    const operator = new pg.Client({ connectionString: database.url, application_name: 'operator' });
    await operator.connect();
    others.push({ close: () => operator.end() });
    main.timers.start();
    second.timers.start();
    for (let left = 1; left > 0; left = (await operator.query('SELECT 1 FROM log.timer')).rowCount!) {
      await sleep(120);
      await operator.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name <> 'operator'`);
    }
    await eventually(async () => expect(await epochs()).toEqual(numbers(1000)));
  });

  it('loses nothing when the process that fires is killed', async () => {
    await arm(numbers(3000).map((epoch) => ({ epoch, inMs: epoch })));
    const root = join(import.meta.dirname, '../../..');
    const child = fork(join(import.meta.dirname, '../test/timers-process.ts'), [database.url], { cwd: root, execArgv: ['--import', './tools/ts.mjs'] });
    await once(child, 'message');
    await eventually(async () => expect((await epochs()).length).toBeGreaterThan(0));
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await pending()).toBeGreaterThan(0);
    main.timers.start();
    await eventually(async () => expect(await pending()).toBe(0));
    expect(await epochs()).toEqual(numbers(3000));
  });

  it('leaves the firing to one process, and to the next when that is gone', async () => {
    const second = await another();
    main.timers.start();
    await arm([{ epoch: 1, inMs: 0 }]);
    await eventually(async () => expect(await epochs()).toEqual([1]));
    second.timers.start();
    const fire = jest.spyOn(second.log, 'transaction');
    await arm([{ epoch: 2, inMs: 0 }]);
    await eventually(async () => expect(await epochs()).toEqual([1, 2]));
    expect(fire).not.toHaveBeenCalled();
    await main.timers.stop();
    await arm([{ epoch: 3, inMs: 0 }], second);
    await eventually(async () => expect(await epochs()).toEqual([1, 2, 3]));
  });

  describe('in any history of arming, moving and cancelling while two workers fire', () => {
    const command = fc.record({
      name: fc.nat({ max: 4 }),
      what: fc.constantFrom('arm', 'arm', 'arm', 'cancel', 'fail'),
      inMs: fc.integer({ min: -5, max: 25 }),
      pauseMs: fc.nat({ max: 8 }),
    });

    it('fires what was meant at its due time: once, never early, never after it was moved or cancelled', async () => {
      for (const worker of [await another(always), await another(always)]) worker.timers.start();
      let runs = 0;
      let firstEpoch = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(command, { minLength: 1, maxLength: 25 }), async (commands) => {
          const run = runs++;
          const history: { name: string; epoch: number; what: string; dueAt: number; doneAt: number }[] = [];
          for (const [index, { name, what, inMs, pauseMs }] of commands.entries()) {
            const epoch = firstEpoch + index;
            const timer = { name: `${run}:${name}`, epoch, inMs };
            let dueAt = 0;
            if (what === 'cancel') await cancel(timer.name);
            else if (what === 'arm') dueAt = (await arm([timer]))[0]!.getTime();
            else await arm([timer, { epoch: -1, inMs }]).catch(() => undefined);
            const [clock] = await main.dataSource.query<{ at: Date }[]>('SELECT clock_timestamp() AS at');
            history.push({ name: timer.name, epoch, what, dueAt, doneAt: clock!.at.getTime() });
            await sleep(pauseMs);
          }
          await eventually(async () => expect(await pending()).toBe(0));

          const events = (await fired()).filter(({ data }) => data.epoch >= firstEpoch);
          firstEpoch += commands.length;
          expect(new Set(events.map(({ data }) => data.epoch)).size).toBe(events.length);
          for (const { time, data } of events) {
            const armed = history.find(({ epoch }) => epoch === data.epoch)!;
            expect(armed.what).toBe('arm');
            expect(Date.parse(time)).toBeGreaterThanOrEqual(armed.dueAt);
          }
          for (const armed of history.filter(({ what }) => what === 'arm')) {
            const next = history.find(({ name, epoch, what }) => name === armed.name && epoch > armed.epoch && what !== 'fail');
            const event = events.find(({ data }) => data.epoch === armed.epoch);
            if (!next) expect(event).toBeDefined();
            else if (event) expect(Date.parse(event.time)).toBeLessThanOrEqual(next.doneAt);
          }
        }),
        { numRuns: 25 },
      );
    });
  });
});
