import { Logger } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { TicketChanged, TicketMerged, TicketReplied, type Event, type EventDefinition } from '@tierline/events';
import { eventually, freshDatabase } from '@tierline/testing';
import { BUCKETS, bucketOf } from '../src/bucket.ts';
import type { Handler } from '../src/consumer-group.ts';
import { decodeEvent } from '../src/envelope.ts';
import { NotWaitingError, UndecodableEventError } from '../src/errors.ts';
import type { EventLog, LogTransaction } from '../src/event-log.ts';
import { ParkedEvents, type ParkedEvent } from '../src/parked-events.ts';
import type { RetryPolicy } from '../src/retry-queue.ts';
import { numbered, numberOf } from './open-log.ts';
import { TestProcess, TOPIC, type Travel } from './test-process.ts';

/** Tries without an end, as far as a test is concerned. */
const PATIENT: RetryPolicy = { backoffMs: [20], maxAttempts: 1_000_000 };

interface Effect {
  key: string;
  n: number;
}

/** Something that waits until it is opened. */
function gate(): { passed: Promise<void>; open: () => void } {
  let open!: () => void;
  const passed = new Promise<void>((resolve) => (open = resolve));
  return { passed, open };
}

/** The guarantees of the log, whichever way it travels: every source passes this suite. */
export function logContract(makeTravel: () => Promise<Travel>): void {
  let database: Awaited<ReturnType<typeof freshDatabase>>;
  let travel: Travel;
  let name = 0;
  let processes: TestProcess[] = [];
  let one: TestProcess;
  let log: EventLog;

  beforeAll(async () => {
    database = await freshDatabase('log_contract');
    Logger.overrideLogger(false);
  });
  afterAll(async () => {
    Logger.overrideLogger(true);
    await database.drop();
  });
  beforeEach(async () => {
    name++;
    travel = await makeTravel();
    one = await startProcess();
    log = one.log;
    await log.dataSource.query(`CREATE TABLE ${log.schema}.effect (seq bigint GENERATED ALWAYS AS IDENTITY, grp text, key text, n int)`);
  });
  afterEach(async () => {
    await Promise.all(processes.map((process) => process.stop()));
    processes = [];
  });

  const startProcess = async (): Promise<TestProcess> => {
    const process = await TestProcess.start(database.url, `log_${name}`, travel);
    processes.push(process);
    return process;
  };

  const append = (events: readonly [key: string, n: number][], definition: EventDefinition = TicketMerged): Promise<void> =>
    log.transaction('test', async (tx) => {
      for (const [key, n] of events) tx.append(definition, key, numbered(n));
    });

  /** The effect of handling: one row an event. */
  const record = async (events: readonly Event[], tx: LogTransaction): Promise<void> => {
    await tx.query(
      `INSERT INTO ${log.schema}.effect (grp, key, n) SELECT $1, k, n FROM unnest($2::text[], $3::int[]) WITH ORDINALITY AS e(k, n, o) ORDER BY o`,
      [tx.service, events.map(({ key }) => key), events.map(numberOf)],
    );
  };
  /** Handles every event but those that fail: `key#n`. */
  const recordUnless =
    (failing: ReadonlySet<string>): Handler =>
    async (events, tx) => {
      await record(events, tx);
      for (const event of events) if (failing.has(`${event.key}#${numberOf(event)}`)) throw Object.assign(new Error('poison'), { code: 'test.poison' });
    };

  const effects = (group = 'group'): Promise<Effect[]> =>
    log.dataSource.query<Effect[]>(`SELECT key, n FROM ${log.schema}.effect WHERE grp = $1 ORDER BY seq`, [group]);
  const effectsOf = async (key: string, group?: string): Promise<number[]> => (await effects(group)).filter((effect) => effect.key === key).map(({ n }) => n);
  const parked = (): Promise<ParkedEvent[]> => new ParkedEvents(log).list({ limit: 500 });
  const deadLetters = async (): Promise<Record<string, unknown>[]> =>
    (await log.dataSource.query<{ payload: string }[]>(`SELECT payload FROM ${log.schema}.event_log WHERE topic = '${TOPIC}.dlq' ORDER BY pos`)).map(
      ({ payload }) => JSON.parse(payload) as Record<string, unknown>,
    );
  const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);
  const sorted = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => a - b);

  describe('order and effect', () => {
    it('handles the events of a key in order, whoever wrote them and whatever their types', async () => {
      await one.consume(record);
      await Promise.all(
        upTo(4).map(async (writer) => {
          for (const n of upTo(30)) await append([[`${writer}`, n], [`${writer}b`, n]], n % 3 === 0 ? TicketChanged : TicketMerged); // prettier-ignore
        }),
      );
      await eventually(async () => expect(await effects()).toHaveLength(240));
      for (const writer of upTo(4)) {
        expect(await effectsOf(`${writer}`)).toEqual(upTo(30));
        expect(await effectsOf(`${writer}b`)).toEqual(upTo(30));
      }
    });

    it('gives every group every event, once', async () => {
      await one.consume(record, { group: 'first' });
      await append(upTo(50).map((n) => [`${n % 7}`, n]));
      await eventually(async () => expect(await effects('first')).toHaveLength(50));
      await one.consume(record, { group: 'second' });
      await eventually(async () => expect(await effects('second')).toHaveLength(50));
      expect(await effects('first')).toHaveLength(50);
    });

    it('has its effect once, although transactions fail and connections break at random', async () => {
      let tries = 0;
      await one.consume(async (events, tx) => {
        await record(events, tx);
        tries++;
        if (tries % 3 === 1) throw Object.assign(new Error('deadlock'), { code: '40P01' });
        if (tries % 3 === 2) await tx.query('SELECT pg_terminate_backend(pg_backend_pid())');
      });
      for (const n of upTo(20)) await append([['a', n], ['b', n]]); // prettier-ignore
      await eventually(async () => expect(await effects()).toHaveLength(40));
      expect(await effectsOf('a')).toEqual(upTo(20));
      expect(await parked()).toEqual([]);
    });

    it('appends what handlers say in the same transaction', async () => {
      const failing = new Set(['a#1']);
      await one.consume(
        async (events, tx) => {
          for (const event of events) tx.append(TicketChanged, 'told', numbered(numberOf(event)), event);
          await recordUnless(failing)(
            events.filter(({ key }) => key !== 'told'),
            tx,
          );
        },
        { group: 'tells', retry: { backoffMs: [20], maxAttempts: 2 } },
      );
      await append([['a', 0], ['a', 1], ['b', 2]]); // prettier-ignore
      await eventually(async () => expect(await deadLetters()).toHaveLength(1));
      const told = await log.dataSource.query<{ payload: string }[]>(`SELECT payload FROM ${log.schema}.event_log WHERE key = 'told' ORDER BY pos LIMIT 2`);
      expect(sorted(told.map(({ payload }) => numberOf(decodeEvent(payload)!)))).toEqual([0, 2]);
    });

    it('takes what is ready in few transactions', async () => {
      await append(upTo(500).map((n) => [`key-${n}`, n]));
      const transactions = jest.spyOn(log, 'transaction');
      await one.consume(record);
      await eventually(async () => expect(await effects()).toHaveLength(500));
      expect(transactions.mock.calls.length).toBeLessThanOrEqual(travel.backlogBatches);
    });
  });

  describe('what a group has no handler for', () => {
    it('is passed over without a transaction each time, and not met again after a restart', async () => {
      const group = await one.consume(record);
      const transactions = jest.spyOn(log, 'transaction');
      for (const n of upTo(20)) await append([['k', n]], TicketReplied);
      await append([['k', 20]]);
      await eventually(async () => expect(await effects()).toEqual([{ key: 'k', n: 20 }]));
      for (const n of upTo(5)) await append([['k', n]], TicketReplied);
      await group.stop();
      expect(transactions.mock.calls.filter(([service]) => service === 'group').length).toBeLessThanOrEqual(3);
      await one.consume(record);
      await append([['k', 21]]);
      await eventually(async () => expect(await effectsOf('k')).toEqual([20, 21]));
    });

    it('holds up nothing that was wanted before it or comes behind it', async () => {
      const failing = new Set(['k#1']);
      await one.consume(recordUnless(failing), { retry: PATIENT });
      for (const n of upTo(6)) {
        await append([['k', n]]);
        await append([['k', 100 + n], ['other', n]], TicketReplied); // prettier-ignore
      }
      await eventually(async () => expect(await effectsOf('k')).toEqual([0]));
      failing.clear();
      await eventually(async () => expect(await effectsOf('k')).toEqual(upTo(6)));
    });
  });

  describe('a poison event', () => {
    it('is found in few transactions, while all others are done', async () => {
      for (const poison of [0, 317, 499]) {
        const group = `poison-${poison}`;
        await append(upTo(500).map((n) => [`${poison}/${n}`, n]));
        const transactions = jest.spyOn(log, 'transaction');
        const consumer = await one.consume(
          (events, tx) =>
            recordUnless(new Set([`${poison}/${poison}#${poison}`]))(
              events.filter(({ key }) => key.startsWith(`${poison}/`)),
              tx,
            ),
          { group, retry: { backoffMs: [1_000_000] } },
        );
        await eventually(async () => expect(await effects(group)).toHaveLength(499));
        await eventually(async () => expect((await parked()).filter((event) => event.group === group)).toHaveLength(1));
        await consumer.stop();
        const batches = Math.ceil((500 * (1 + [0, 317, 499].indexOf(poison))) / 500) - 1 + travel.backlogBatches;
        expect(transactions.mock.calls.filter(([service]) => service === group).length).toBeLessThanOrEqual(batches + 18);
        transactions.mockRestore();
      }
    });

    it('holds up the later events of its key, and of no other', async () => {
      const failing = new Set(['k#1']);
      await one.consume(recordUnless(failing), { retry: PATIENT });
      await append([['k', 0], ['k', 1], ['k', 2], ['other', 0]]); // prettier-ignore
      await eventually(async () => expect(await parked()).toHaveLength(2));
      await append([['k', 3], ['other', 1]]); // prettier-ignore
      await eventually(async () => expect(await effectsOf('other')).toEqual([0, 1]));
      await eventually(async () => expect(await parked()).toHaveLength(3));
      expect(await effectsOf('k')).toEqual([0]);
      failing.clear();
      await eventually(async () => expect(await effectsOf('k')).toEqual([0, 1, 2, 3]));
      await append([['k', 4]]);
      await eventually(async () => expect(await effectsOf('k')).toEqual([0, 1, 2, 3, 4]));
      expect(await parked()).toEqual([]);
    });

    it('still holds up its key after a restart', async () => {
      const failing = new Set(['k#0']);
      await one.consume(recordUnless(failing), { retry: PATIENT });
      await append([['k', 0]]);
      await eventually(async () => expect(await parked()).toHaveLength(1));
      await one.stop();
      processes = [];
      one = await startProcess();
      log = one.log;
      await append([['k', 1], ['other', 0]]); // prettier-ignore
      await one.consume(recordUnless(failing), { retry: PATIENT });
      await eventually(async () => expect(await effectsOf('other')).toEqual([0]));
      await eventually(async () => expect(await parked()).toHaveLength(2));
      failing.clear();
      await eventually(async () => expect(await effectsOf('k')).toEqual([0, 1]));
    });

    it('does not keep a long backlog from letting new events through', async () => {
      const failing = new Set(['k#0']);
      await one.consume(recordUnless(failing), { retry: PATIENT });
      await append(upTo(300).map((n) => ['k', n]));
      await eventually(async () => expect(await parked()).toHaveLength(300));
      failing.clear();
      await eventually(async () => expect((await parked()).length).toBeLessThan(300));
      await append([['other', 0]]);
      await eventually(async () => expect(await effectsOf('other')).toEqual([0]));
      await eventually(async () => expect(await effectsOf('k')).toEqual(upTo(300)));
    });

    it('is parked after its last attempt, with a copy for whoever watches the dead letters', async () => {
      await one.consume(recordUnless(new Set(['k#0'])));
      await append([['k', 0], ['k', 1]]); // prettier-ignore
      await eventually(async () => expect((await parked()).map(({ state }) => state)).toEqual(['parked', 'waiting']));
      expect((await parked())[0]).toMatchObject({
        group: 'group',
        topic: TOPIC,
        key: 'k',
        type: 'ticket.merged',
        attempts: 3,
        errorCode: 'test.poison',
        errorMessage: 'poison',
      });
      expect(await deadLetters()).toEqual([
        expect.objectContaining({ source: 'group', subject: 'k', errorclass: 'test.poison', errormessage: 'poison', attempts: 3, origintopic: TOPIC, originpartition: bucketOf('k'), originposition: 1 }),
      ]); // prettier-ignore
      expect(await effects()).toEqual([]);
    });
  });

  describe('a parked event', () => {
    const actor = 'somebody';
    let failing: Set<string>;
    let events: ParkedEvents;
    let id: string;

    beforeEach(async () => {
      failing = new Set(['k#0']);
      events = new ParkedEvents(log);
      await one.consume(recordUnless(failing));
      await append([['k', 0], ['k', 1], ['k', 2]]); // prettier-ignore
      await eventually(async () => expect((await parked()).map(({ state }) => state)).toEqual(['parked', 'waiting', 'waiting']));
      id = (await parked())[0]!.id;
    });

    const audit = () => log.dataSource.query<Record<string, unknown>[]>(`SELECT actor, action, grp, topic, key, type FROM ${log.schema}.parked_audit`);

    it('can be found and looked at', async () => {
      const find = (filter: Partial<Parameters<ParkedEvents['list']>[0]>) =>
        events.list({ limit: 10, ...filter }).then((found) => found.map((event) => event.id));
      expect(await find({ state: 'parked' })).toEqual([id]);
      expect(await find({ errorCode: 'test.poison', group: 'group', type: 'ticket.merged' })).toEqual([id]);
      expect(await find({ group: 'no-such-group' })).toEqual([]);
      expect(await find({ after: id })).toHaveLength(2);
      expect(await find({ limit: 1 })).toEqual([id]);
      expect(numberOf(decodeEvent((await events.show(id)).payload)!)).toBe(0);
      await expect(events.show('999999')).rejects.toThrow(NotWaitingError);
    });

    it('is handled, and its key after it, when it is tried again and the cause is gone', async () => {
      failing.clear();
      await events.retry(id, actor);
      await eventually(async () => expect(await effectsOf('k')).toEqual([0, 1, 2]));
      expect(await audit()).toEqual([{ actor, action: 'retry', grp: 'group', topic: TOPIC, key: 'k', type: 'ticket.merged' }]);
    });

    it('is parked again when the cause is not gone', async () => {
      await events.retry(id, actor);
      await eventually(async () => expect(await deadLetters()).toHaveLength(2));
      expect((await events.show(id)).attempts).toBe(3);
    });

    it('lets its key go on when it is skipped, and is kept in the audit', async () => {
      const { payload } = await events.show(id);
      await events.skip(id, actor);
      await eventually(async () => expect(await effectsOf('k')).toEqual([1, 2]));
      await append([['k', 3]]);
      await eventually(async () => expect(await effectsOf('k')).toEqual([1, 2, 3]));
      const [kept] = await log.dataSource.query<{ payload: string }[]>(`SELECT payload FROM ${log.schema}.parked_audit`);
      expect(kept!.payload).toBe(payload);
      await expect(events.skip(id, actor)).rejects.toThrow(NotWaitingError);
    });

    it('is handled as it was edited', async () => {
      const envelope = JSON.parse((await events.show(id)).payload) as { data: unknown };
      await events.edit(id, { ...envelope, data: numbered(100) }, actor);
      await eventually(async () => expect(await effectsOf('k')).toEqual([100, 1, 2]));
    });

    it('is not replaced by something that is no event, or is of another key', async () => {
      const envelope = JSON.parse((await events.show(id)).payload) as { data: unknown };
      await expect(events.edit(id, { ...envelope, data: {} }, actor)).rejects.toThrow(UndecodableEventError);
      await expect(events.edit(id, { ...envelope, subject: 'other' }, actor)).rejects.toThrow('the subject must stay k');
      expect(await audit()).toEqual([]);
    });
  });

  describe('what nobody here can read', () => {
    it('is parked at once, and holds up nothing', async () => {
      await one.consume(record);
      await append([['k', 0]]);
      await travel.inject(log, TOPIC, 'not JSON');
      await travel.inject(log, TOPIC, 'null');
      await travel.inject(
        log,
        TOPIC,
        JSON.stringify({ specversion: '1.0', id: 'x', type: 'ticket.merged', dataversion: 99, source: 'x', subject: 'k', data: {} }),
      );
      await travel.inject(
        log,
        TOPIC,
        JSON.stringify({ specversion: '1.0', id: 'x', type: 'ticket.frobbed', dataversion: 1, source: 'x', subject: 'k', data: {} }),
      );
      await travel.inject(log, TOPIC, JSON.stringify({ type: 'ticket.merged', dataversion: 1 }));
      await eventually(async () => expect(await parked()).toHaveLength(5));
      await append([['k', 1]]);
      await eventually(async () => expect(await effectsOf('k')).toEqual([0, 1]));
      const seen = (await parked()).map(({ state, blocksKey, errorCode, type }) => `${state} ${blocksKey} ${errorCode} ${type}`);
      expect(seen.sort()).toEqual([
        'parked false log.undecodable_event ticket.merged',
        'parked false log.undecodable_event unknown',
        'parked false log.undecodable_event unknown',
        'parked false log.unknown_event ticket.frobbed',
        'parked false log.unknown_event ticket.merged',
      ]);
      expect(await deadLetters()).toHaveLength(5);
    });

    it('can be tried again by a release that knows it, be edited, or be skipped', async () => {
      const events = new ParkedEvents(log);
      await one.consume(record, { retry: { maxAttempts: 1 } });
      for (const type of ['ticket.one', 'ticket.two', 'ticket.three']) {
        await travel.inject(log, TOPIC, JSON.stringify({ specversion: '1.0', id: type, type, dataversion: 1, source: 'x', subject: 'k', data: numbered(1) }));
      }
      await eventually(async () => expect(await parked()).toHaveLength(3));
      const [first, second, third] = await parked();
      await events.retry(first!.id, 'somebody');
      await events.edit(second!.id, { ...(JSON.parse((await events.show(second!.id)).payload) as object), type: 'ticket.merged' }, 'somebody');
      await events.skip(third!.id, 'somebody');
      await eventually(async () => expect(await effects()).toEqual([{ key: 'k', n: 1 }]));
      await eventually(async () =>
        expect((await parked()).map(({ id, state, attempts }) => ({ id, state, attempts }))).toEqual([{ id: first!.id, state: 'parked', attempts: 1 }]),
      );
    });
  });

  describe('a missing event', () => {
    it('stops its bucket of its writer, says so, and goes on when it comes', async () => {
      const group = await one.consume(record);
      await append([['k', 0]]);
      await eventually(async () => expect(await effectsOf('k')).toEqual([0]));
      const bucket = bucketOf('k');
      const elsewhere = upTo(100)
        .map(String)
        .find((key) => bucketOf(key) !== bucket)!;
      // A position that was handed out, and whose event is nowhere.
      await log.dataSource.query(`UPDATE ${log.schema}.log_head SET next = next + 1 WHERE topic = $1 AND bucket = $2`, [TOPIC, bucket]);
      await append([['k', 2], [elsewhere, 0]]); // prettier-ignore
      await eventually(() => expect(group.holes).toEqual([{ source: log.options.source, topic: TOPIC, bucket, expected: 2, found: 3 }]));
      await append([['k', 3], [elsewhere, 1]]); // prettier-ignore
      await eventually(async () => expect(await effectsOf(elsewhere)).toEqual([0, 1]));
      expect(await effectsOf('k')).toEqual([0]);
      expect(one.warnings.filter((warning) => warning.includes('is missing'))).toHaveLength(1);

      const [after] = await log.dataSource.query<{ payload: string }[]>(
        `SELECT payload FROM ${log.schema}.event_log WHERE topic = $1 AND bucket = $2 AND pos = 3`,
        [TOPIC, bucket],
      );
      await log.dataSource.query(
        `INSERT INTO ${log.schema}.event_log (topic, bucket, pos, event_id, key, type, payload) VALUES ($1, $2, 2, gen_random_uuid(), 'k', 'ticket.merged', $3)`,
        [...[TOPIC, bucket, after!.payload.replace('"id":"2"', '"id":"1"')]],
      );
      await travel.deliverAgain(log, TOPIC, bucket, 1);
      await eventually(async () => expect(await effectsOf('k')).toEqual([0, 1, 2, 3]));
      await eventually(() => expect(group.holes).toEqual([]));
      await append([['k', 4]]);
      await eventually(async () => expect(await effectsOf('k')).toEqual([0, 1, 2, 3, 4]));
    });
  });

  it('drops what is delivered again', async () => {
    await one.consume(record);
    await append(upTo(40).map((n) => ['k', n]));
    await eventually(async () => expect(await effects()).toHaveLength(40));
    for (let bucket = 0; bucket < BUCKETS; bucket++) await travel.deliverAgain(log, TOPIC, bucket, 0);
    await append([['k', 40]]);
    await eventually(async () => expect(await effectsOf('k')).toEqual(upTo(41)));
  });

  it('hands out everything again when it is replayed', async () => {
    const failing = new Set(['k#2']);
    const group = await one.consume(recordUnless(failing));
    await append([['k', 0], ['k', 1], ['k', 2], ['other', 0]]); // prettier-ignore
    await eventually(async () => expect((await parked()).map(({ state }) => state)).toEqual(['parked']));
    failing.clear();
    await group.replay(0, 'somebody');
    await eventually(async () => expect(await effectsOf('k')).toEqual([0, 1, 0, 1, 2]));
    await eventually(async () => expect(await effectsOf('other')).toEqual([0, 0]));
    await append([['k', 3]]);
    await eventually(async () => expect(await effectsOf('k')).toEqual([0, 1, 0, 1, 2, 3]));
    expect(await parked()).toEqual([]);
    expect(await log.dataSource.query(`SELECT actor, action, grp FROM ${log.schema}.parked_audit`)).toEqual([
      { actor: 'somebody', action: 'replay after 0', grp: 'group' },
    ]);
  });

  describe('two owners', () => {
    /** Holds the next transaction of a group of the process before it begins, as a freeze would. */
    const freeze = (process: TestProcess, group = 'group') => {
      const thaw = gate();
      const frozen = gate();
      const transaction = process.log.transaction.bind(process.log);
      jest.spyOn(process.log, 'transaction').mockImplementation(async (service, work) => {
        if (service === group) {
          frozen.open();
          await thaw.passed;
        }
        return transaction(service, work);
      });
      return { frozen: frozen.passed, thaw: thaw.open };
    };
    const keys = upTo(40).map((n) => `key-${n}`);

    it('cannot both commit: the one that was frozen finds its position moved', async () => {
      const entered = gate();
      const warm = gate();
      await one.consume(async (events, tx) => {
        entered.open();
        if (events[0]!.key === 'warm') await warm.passed;
        await record(events, tx);
      });
      const two = await startProcess();
      await two.consume(record, { group: 'other' });
      await append([['warm', 0]]);
      await entered.passed;
      await append(keys.map((key) => [key, 0]));
      // By now they wait for the frozen one, too: its next transaction is about all of them.
      await eventually(async () => expect(await effects('other')).toHaveLength(1 + keys.length));
      const { frozen, thaw } = freeze(one);
      warm.open();
      await frozen;
      await travel.disown(log);
      await two.consume(record);
      await eventually(async () => expect((await effects()).length).toBeGreaterThan(1));
      thaw();
      await eventually(() => expect(one.warnings.join()).toContain('another process now consumes'));
      await append(keys.map((key) => [key, 1]));
      await eventually(async () => expect(await effects()).toHaveLength(1 + 2 * keys.length));
      for (const key of keys) expect(await effectsOf(key)).toEqual([0, 1]);
    });

    it('take turns: one that was frozen in the middle of a transaction may finish it', async () => {
      const thaw = gate();
      const entered = gate();
      await one.consume(async (events, tx) => {
        await record(events, tx);
        entered.open();
        await thaw.passed;
      });
      await append(keys.map((key) => [key, 0]));
      await entered.passed;
      const two = await startProcess();
      await travel.disown(log);
      const waiting = jest.spyOn(two.log, 'transaction');
      await two.consume(record);
      await eventually(() => expect(waiting.mock.calls.length + one.warnings.length).toBeGreaterThan(0));
      thaw.open();
      await append(keys.map((key) => [key, 1]));
      await eventually(async () => expect(await effects()).toHaveLength(2 * keys.length));
      for (const key of keys) expect(await effectsOf(key)).toEqual([0, 1]);
    });

    it('hand over in order when one leaves', async () => {
      await one.consume(record);
      const two = await startProcess();
      await two.consume(record);
      for (const n of upTo(10)) await append(keys.map((key) => [key, n]));
      await one.groups[0]!.stop();
      for (const n of upTo(10)) await append(keys.map((key) => [key, 10 + n]));
      await eventually(async () => expect(await effects()).toHaveLength(20 * keys.length));
      for (const key of keys) expect(await effectsOf(key)).toEqual(upTo(20));
    });
  });

  it('finishes the running transaction when it stops, and begins no other', async () => {
    const entered = gate();
    const finish = gate();
    const group = await one.consume(async (events, tx) => {
      entered.open();
      await finish.passed;
      await record(events, tx);
    });
    await append([['k', 0]]);
    await entered.passed;
    await append([['k', 1]]);
    const stopped = group.stop();
    finish.open();
    await stopped;
    expect(await effectsOf('k')).toEqual([0]);
    await one.consume(record);
    await eventually(async () => expect(await effectsOf('k')).toEqual([0, 1]));
  });
}
