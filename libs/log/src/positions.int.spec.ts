import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { freshDatabase } from '@tierline/testing';
import { openLog, type OpenLog } from '../test/open-log.ts';
import { FencedError } from './errors.ts';
import { GroupPositions } from './positions.ts';
import { FOREIGN, type LogRecord } from './source.ts';

const record = (pos: number, more: Partial<LogRecord> = {}): LogRecord => ({ source: 'log', topic: 'ticket', bucket: 3, pos, payload: '', ...more });
const positionsOf = (records: LogRecord[]): number[] => records.map(({ pos }) => pos);

describe('GroupPositions', () => {
  let database: Awaited<ReturnType<typeof freshDatabase>>;
  let opened: OpenLog;
  let group = 0;
  let positions: GroupPositions;

  beforeAll(async () => {
    database = await freshDatabase('positions');
    opened = await openLog(database.url);
  });
  afterAll(async () => {
    await opened.close();
    await database.drop();
  });
  beforeEach(() => {
    positions = new GroupPositions(opened.log, `group-${++group}`);
  });

  const again = async (): Promise<GroupPositions> => {
    const loaded = new GroupPositions(opened.log, `group-${group}`);
    await loaded.load();
    return loaded;
  };
  const advance = (by: GroupPositions, records: LogRecord[]) => opened.log.transaction('test', (tx) => by.advance(tx, records));

  it('starts before the first event', () => {
    expect(positions.last('log', 'ticket', 3)).toBe(0);
    expect(positionsOf(positions.fresh([record(1), record(2)]))).toEqual([1, 2]);
  });

  it('drops repeats, also within a batch', async () => {
    await advance(positions, [record(1), record(2)]);
    expect(positionsOf(positions.fresh([record(1), record(2), record(3), record(3), record(2), record(4)]))).toEqual([3, 4]);
  });

  it('counts every writer and every bucket on its own', async () => {
    await advance(positions, [record(1), record(1, { source: 'email_log' }), record(1, { bucket: 4 })]);
    const loaded = await again();
    expect(loaded.last('log', 'ticket', 3)).toBe(1);
    expect(positionsOf(loaded.fresh([record(2), record(2, { source: 'email_log' }), record(1, { source: 'chat_log' }), record(2, { bucket: 4 })]))).toEqual([
      2, 2, 1, 2,
    ]);
  });

  it('is moved by the transaction, and not when that is rolled back', async () => {
    await expect(
      opened.log.transaction('test', async (tx) => {
        await positions.advance(tx, [record(1)]);
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(positions.last('log', 'ticket', 3)).toBe(0);
    expect((await again()).last('log', 'ticket', 3)).toBe(0);
  });

  describe('past what nobody wants', () => {
    it('is ahead of its rows, which follow with what is handled next', async () => {
      positions.passOver([record(1, { offset: 10 }), record(1, { bucket: 4 })]);
      expect(positions.isAhead).toBe(true);
      expect([positions.last('log', 'ticket', 3), positions.nextOffset('ticket', 3), positions.last('log', 'ticket', 4)]).toEqual([1, 11, 1]);
      expect(positionsOf(positions.fresh([record(1), record(2)]))).toEqual([2]);
      expect((await again()).last('log', 'ticket', 3)).toBe(0);
      await advance(positions, [record(2, { offset: 11 })]);
      expect(positions.isAhead).toBe(false);
      const loaded = await again();
      expect([loaded.last('log', 'ticket', 3), loaded.nextOffset('ticket', 3), loaded.last('log', 'ticket', 4)]).toEqual([2, 12, 1]);
    });

    it('stays ahead when the transaction is rolled back, and meets it again when it starts over', async () => {
      positions.passOver([record(1)]);
      await expect(
        opened.log.transaction('test', async (tx) => {
          await positions.advance(tx, [record(2)]);
          throw new Error('no');
        }),
      ).rejects.toThrow('no');
      expect(positionsOf(positions.fresh([record(1), record(2)]))).toEqual([2]);
      await positions.load();
      expect(positions.isAhead).toBe(false);
      expect(positionsOf(positions.fresh([record(1), record(2)]))).toEqual([1, 2]);
    });

    it('is fenced there too when another owner has come further', async () => {
      positions.passOver([record(1)]);
      await advance(await again(), [record(1)]);
      await expect(advance(positions, [])).rejects.toThrow(FencedError);
    });
  });

  it('brings the time of the transaction along', async () => {
    const [row] = await opened.log.transaction('test', async (tx) => {
      await positions.advance(tx, [record(1)]);
      return [{ carried: await tx.now(), ...(await tx.query<{ now: Date }>('SELECT now()'))[0] }];
    });
    expect(row?.carried).toEqual(row?.now);
  });

  it('fences an owner that somebody else has overtaken', async () => {
    const zombie = await again();
    await advance(positions, [record(1), record(2)]);
    await expect(advance(zombie, [record(1)])).rejects.toThrow(FencedError);
    await zombie.load();
    await advance(zombie, [record(3)]);
    await expect(advance(positions, [record(3)])).rejects.toThrow(FencedError);
  });

  it('lets one of two owners through who commit at once', async () => {
    const other = await again();
    const outcomes = await Promise.allSettled([advance(positions, [record(1)]), advance(other, [record(1)])]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  describe('at a hole', () => {
    it('passes over what lies behind, in this bucket of this writer only', () => {
      expect(positions.fresh([record(1), record(3), record(1, { bucket: 4 }), record(4), record(1, { source: 'email_log' })])).toEqual([
        record(1),
        record(1, { bucket: 4 }),
        record(1, { source: 'email_log' }),
      ]);
      expect(positions.holes).toEqual([{ source: 'log', topic: 'ticket', bucket: 3, expected: 2, found: 3 }]);
      expect(positions.isStuck('log', 'ticket', 3)).toBe(true);
      expect(positions.isStuck('log', 'ticket', 4)).toBe(false);
    });

    it('goes on when the missing event comes, and wants the rest again', async () => {
      positions.fresh([record(2)]);
      expect(positionsOf(positions.fresh([record(1)]))).toEqual([1]);
      expect(positions.holes).toEqual([]);
      expect(positions.mustReread).toBe(true);
      await positions.load();
      expect(positions.mustReread).toBe(false);
    });

    it("keeps Kafka's offset at the first event that will be read again", async () => {
      const read = positions.fresh([record(1, { offset: 10 }), record(3, { offset: 11 }), record(1, { offset: 12, source: 'email_log' })]);
      await advance(positions, read);
      expect((await again()).nextOffset('ticket', 3)).toBe(11);
      const filled = positions.fresh([record(2, { offset: 20 }), record(3, { offset: 21 })]);
      await advance(positions, filled);
      expect((await again()).nextOffset('ticket', 3)).toBe(11);
    });
  });

  it("knows what comes after the last offset of Kafka's partition", async () => {
    expect(positions.nextOffset('ticket', 3)).toBe(0);
    await advance(positions, [record(1, { offset: 41 })]);
    expect(positions.nextOffset('ticket', 3)).toBe(42);
  });

  it('expects gaps between the records of strangers, and drops their repeats all the same', async () => {
    const foreign = (offset: number): LogRecord => record(offset + 1, { source: FOREIGN, offset });
    await advance(positions, positions.fresh([foreign(4)]));
    expect(positions.fresh([foreign(4), foreign(9)])).toEqual([foreign(9)]);
    expect(positions.holes).toEqual([]);
  });
});
