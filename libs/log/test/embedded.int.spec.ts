import { describe } from '@jest/globals';
import { bucketOf } from '../src/bucket.ts';
import { EmbeddedSource } from '../src/embedded-source.ts';
import { logContract } from './contract.ts';

describe('the log where it is written', () => {
  logContract(async () => ({
    backlogBatches: 1,
    source: (log, leases) => new EmbeddedSource(log, leases),
    async inject(log, topic, payload) {
      await log.dataSource.query(
        `WITH head AS (UPDATE ${log.schema}.log_head SET next = next + 1 WHERE topic = $1 AND bucket = $2 RETURNING next - 1 AS pos)
         INSERT INTO ${log.schema}.event_log (topic, bucket, pos, event_id, key, type, payload) SELECT $1, $2, pos, gen_random_uuid(), '', '', $3 FROM head`,
        [topic, bucketOf('k'), payload],
      );
    },
    // It is read from the rows, by the position: whatever is there is there.
    deliverAgain: async () => undefined,
    async disown(log) {
      await log.dataSource.query(`DELETE FROM ${log.schema}.lease`);
    },
  }));
});
