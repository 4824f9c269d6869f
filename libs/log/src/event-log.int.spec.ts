import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { NoticeSent, TicketChanged, TicketMerged, type Event } from '@tierline/events';
import { freshDatabase } from '@tierline/testing';
import { numbered, numberOf, openLog, type OpenLog } from '../test/open-log.ts';
import { BUCKETS, bucketOf } from './bucket.ts';
import { decodeEvent } from './envelope.ts';
import { EventTooLargeError, UnknownTopicError } from './errors.ts';
import { EventLog, MAX_EVENT_BYTES } from './event-log.ts';

describe('EventLog', () => {
  let database: Awaited<ReturnType<typeof freshDatabase>>;
  let opened: OpenLog;
  let log: EventLog;

  beforeAll(async () => {
    database = await freshDatabase('event_log');
    opened = await openLog(database.url);
    log = opened.log;
  });
  afterAll(async () => {
    await opened.close();
    await database.drop();
  });

  const everyBucket = (topic: string, maxRecords = 10_000) => Array.from({ length: BUCKETS }, (_, bucket) => ({ topic, bucket, after: 0, maxRecords }));
  const eventsOf = async (topic: string): Promise<Event[]> => (await log.read(everyBucket(topic), 10_000)).map(({ payload }) => decodeEvent(payload)!);

  it('hands out dense positions in commit order to many writers, some of whom fail at the commit itself', async () => {
    await log.dataSource.query('CREATE TABLE once (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)');
    await log.dataSource.query('INSERT INTO once VALUES (1)');
    let committed = 0;
    const write = async (writer: number): Promise<void> => {
      for (let i = 0; i < 15; i++) {
        const events = (i % 4) + 1;
        const fails = (i + writer) % 3 === 0;
        const work = log.transaction('test', async (tx) => {
          for (let n = 0; n < events; n++) tx.append(TicketMerged, `${writer}-${n}`, numbered(i));
          if (fails) await tx.query('INSERT INTO once VALUES (1)');
        });
        if (fails) await expect(work).rejects.toThrow('once_n_key');
        else await work.then(() => (committed += events));
      }
    };
    await Promise.all(Array.from({ length: 16 }, (_, writer) => write(writer)));
    const rows = await log.read(everyBucket('ticket'), 10_000);
    expect(rows.length).toBe(committed);
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const inBucket = rows.filter((row) => row.bucket === bucket);
      expect(inBucket.map(({ pos }) => pos)).toEqual(inBucket.map((_, i) => i + 1));
      for (const key of new Set(inBucket.map((row) => row.key))) {
        const order = inBucket.filter((row) => row.key === key).map(({ payload }) => numberOf(decodeEvent(payload)!));
        expect(order).toEqual([...order].sort((a, b) => a - b));
      }
    }
  });

  it('commits rows and events together', async () => {
    await log.dataSource.query('CREATE TABLE note (text text)');
    await log.transaction('test', async (tx) => {
      await tx.query('INSERT INTO note VALUES ($1)', ['kept']);
      tx.append(NoticeSent, 'together', {} as never);
    });
    await expect(
      log.transaction('test', async (tx) => {
        await tx.query('INSERT INTO note VALUES ($1)', ['lost']);
        tx.append(NoticeSent, 'together', {} as never);
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(await log.dataSource.query('SELECT text FROM note')).toEqual([{ text: 'kept' }]);
    expect(await eventsOf('notice')).toHaveLength(1);
  });

  it('writes an envelope that names the writer, the cause and the time of the database', async () => {
    const cause = { id: '0197a3b0-0000-7000-8000-00000000000a', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
    const at = await log.transaction('tickets', async (tx) => {
      tx.append(TicketMerged, 'envelope', numbered(7), cause);
      return tx.now();
    });
    const event = (await eventsOf('ticket')).find(({ key }) => key === 'envelope')!;
    expect(event).toMatchObject({ type: 'ticket.merged', version: 1, topic: 'ticket', causationId: cause.id, traceparent: cause.traceparent });
    expect(event.time).toBe(at.toISOString());
    const [row] = await log.dataSource.query<{ payload: string }[]>(`SELECT payload FROM log.event_log WHERE event_id = $1`, [event.id]);
    expect(JSON.parse(row!.payload)).toMatchObject({ specversion: '1.0', source: 'tickets', subject: 'envelope' });
  });

  it('derives ids from the cause: the same consequences have the same ids, different ones have others', async () => {
    const cause = { id: '0197a3b0-0000-7000-8000-00000000000b' };
    const consequences = () =>
      log.transaction('test', async (tx) => [
        tx.append(TicketMerged, 'a', numbered(1), cause),
        tx.append(TicketMerged, 'a', numbered(2), cause),
        tx.append(TicketChanged, 'a', {} as never, cause),
        tx.append(TicketMerged, 'a', numbered(1), cause, 'other'),
      ]);
    const first = await consequences();
    expect(new Set(first).size).toBe(4);
    expect(await consequences()).toEqual(first);
  });

  it('tells listeners of a commit where the events went, and nothing of a rollback', async () => {
    const heard = jest.fn();
    const stop = log.onAppend(heard);
    await expect(
      log.transaction('test', async (tx) => {
        tx.append(TicketMerged, 'heard', numbered(1));
        await tx.query('SELECT 1/0');
      }),
    ).rejects.toThrow('division by zero');
    await log.transaction('test', (tx) => tx.query('SELECT 1'));
    expect(heard).not.toHaveBeenCalled();
    await log.transaction('test', async (tx) => {
      tx.append(TicketMerged, 'heard', numbered(1));
    });
    stop();
    await log.transaction('test', async (tx) => {
      tx.append(TicketMerged, 'heard', numbered(1));
    });
    expect(heard.mock.calls).toEqual([[[expect.objectContaining({ topic: 'ticket', bucket: bucketOf('heard') })]]]);
  });

  it('checks what is appended where it is told to', async () => {
    const checking = new EventLog(log.dataSource, { source: 'log', checkEvents: true });
    await expect(checking.transaction('test', async (tx) => tx.append(TicketMerged, 'k', {} as never))).rejects.toThrow('ticketId');
  });

  it('refuses an event that no broker would take', async () => {
    const attempt = log.transaction('test', async (tx) => tx.append(NoticeSent, 'k', { text: 'x'.repeat(MAX_EVENT_BYTES) } as never));
    await expect(attempt).rejects.toThrow(EventTooLargeError);
  });

  it('refuses an event for a topic it was never told of', async () => {
    const attempt = log.transaction('test', async (tx) => tx.appendEncoded('unheard-of', 'k', crypto.randomUUID(), 'x', '{}'));
    await expect(attempt).rejects.toThrow(UnknownTopicError);
  });

  it('prepares a statement anew when a newer release has changed its table', async () => {
    await log.dataSource.query('CREATE TABLE grown (a int)');
    const select = () => log.transaction('test', (tx) => tx.query('SELECT * FROM grown'));
    // Each connection of the pool has its own plan.
    await Promise.all(Array.from({ length: 10 }, select));
    await log.dataSource.query('ALTER TABLE grown ADD b int');
    await Promise.allSettled(Array.from({ length: 10 }, select));
    await log.dataSource.query('INSERT INTO grown VALUES (1, 2)');
    expect(await Promise.all(Array.from({ length: 10 }, select))).toEqual(Array.from({ length: 10 }, () => [{ a: 1, b: 2 }]));
  });

  describe('read', () => {
    it('brings a bounded number in all, from the first cursors first, in order', async () => {
      await log.transaction('test', async (tx) => {
        for (let n = 0; n < 40; n++) tx.append(TicketMerged, `read-${n}`, numbered(n));
      });
      const cursors = everyBucket('ticket').reverse();
      const rows = await log.read(cursors, 30);
      expect(rows).toHaveLength(30);
      expect(rows.map(({ bucket }) => bucket)).toEqual(rows.map(({ bucket }) => bucket).sort((a, b) => b - a));
      const next = await log.read([{ ...cursors[0]!, after: 2, maxRecords: 3 }], 30);
      expect(next.map(({ pos }) => pos)).toEqual([3, 4, 5]);
    });

    it('brings few when they are large, but always one', async () => {
      const large = { text: 'x'.repeat(3 * 1024 * 1024) };
      for (let n = 0; n < 5; n++) await log.transaction('test', async (tx) => tx.append(NoticeSent, 'large', large as never));
      const rows = await log.read([{ topic: 'notice', bucket: bucketOf('large'), after: 0, maxRecords: 500 }], 500);
      expect(rows.filter(({ key }) => key === 'large')).toHaveLength(3);
    });
  });
});
