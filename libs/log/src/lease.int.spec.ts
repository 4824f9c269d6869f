import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, freshDatabase } from '@tierline/testing';
import { openLog, type OpenLog } from '../test/open-log.ts';

describe('Leases', () => {
  let database: Awaited<ReturnType<typeof freshDatabase>>;
  let one: OpenLog;
  let other: OpenLog;

  beforeAll(async () => {
    database = await freshDatabase('lease');
    one = await openLog(database.url);
    other = await openLog(database.url);
  });
  afterAll(async () => {
    await one.close();
    await other.close();
    await database.drop();
  });

  const runOut = (name: string) => one.log.dataSource.query(`UPDATE log.lease SET until = now() - interval '1 ms' WHERE name = $1`, [name]);

  it('is taken by the first who asks', async () => {
    expect(await one.leases.acquire('first')).toBe(true);
    expect(one.leases.holds('first')).toBe(true);
    expect(await other.leases.acquire('first')).toBe(false);
    expect(other.leases.holds('first')).toBe(false);
  });

  it('is given to one of those who ask at once', async () => {
    expect((await Promise.all([one.leases.acquire('race'), other.leases.acquire('race')])).filter(Boolean)).toEqual([true]);
  });

  it('may be taken again by its owner', async () => {
    await one.leases.acquire('again');
    expect(await one.leases.acquire('again')).toBe(true);
  });

  it('is free when its owner gives it back', async () => {
    await one.leases.acquire('returned');
    await one.leases.release('returned');
    expect(one.leases.holds('returned')).toBe(false);
    expect(await other.leases.acquire('returned')).toBe(true);
  });

  it('is free when it has run out: its owner is frozen', async () => {
    await one.leases.acquire('frozen');
    await runOut('frozen');
    expect(await other.leases.acquire('frozen')).toBe(true);
    // The old owner still believes in it, and learns better when it renews.
    expect(one.leases.holds('frozen')).toBe(true);
    await eventually(() => !one.leases.holds('frozen'));
    expect(other.leases.holds('frozen')).toBe(true);
  });

  it('is renewed as long as its owner lives', async () => {
    await one.leases.acquire('renewed');
    await runOut('renewed');
    await eventually(async () => {
      const [row] = await one.log.dataSource.query<{ valid: boolean }[]>(`SELECT until > now() AS valid FROM log.lease WHERE name = 'renewed'`);
      return row!.valid;
    });
    expect(await other.leases.acquire('renewed')).toBe(false);
  });

  it('is free at once when the connection of its owner is gone: the process is dead', async () => {
    const dead = await openLog(database.url);
    await dead.leases.acquire('orphan');
    const [{ backend_pid: pid }] = await one.log.dataSource.query<[{ backend_pid: number }]>(`SELECT backend_pid FROM log.lease WHERE name = 'orphan'`);
    expect(await other.leases.acquire('orphan')).toBe(false);
    await one.log.dataSource.query('SELECT pg_terminate_backend($1)', [pid]);
    await eventually(() => other.leases.acquire('orphan'));
    await dead.close();
    expect(other.leases.holds('orphan')).toBe(true);
  });

  it('is not taken by a process that stops', async () => {
    const stopping = await openLog(database.url);
    await stopping.leases.acquire('last');
    await stopping.leases.stop();
    expect(await stopping.leases.acquire('last')).toBe(false);
    expect(await other.leases.acquire('last')).toBe(true);
    await stopping.close();
  });
});
